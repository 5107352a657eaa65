import { isMainThread, threadId } from 'node:worker_threads';
import { tolerateLargeViews } from '../memory/index.ts';
import { libc, startIsOver } from '../native/index.ts';
import { attach } from './attach.ts';
import type { WorkerConfig } from './config.ts';
import { Executions } from './executions.ts';
import { ACTORS_END_MS } from './last-moments.ts';
import { OwnedEngine } from './owned-engine.ts';
import { PartyHost } from './party-host.ts';
import { answerWithReport } from './reports/answer.ts';
import { addEngine, threadState } from './thread-state.ts';
import { sayOnStderr, WorkerOutput } from './worker-output.ts';

/** Takes part in a session as a worker, until the session ends it. */
export function startWorker(config: WorkerConfig): void {
  if (config.isolation === 'process') {
    // Not before the parent could have died already.
    libc()?.dieWithParent();
    if (process.ppid !== config.parent) process.exit(0);
    // Ctrl-C reaches the whole group; the session decides what becomes of its workers.
    process.on('SIGINT', () => {});
  }
  const { block, store, bell } = attach(
    config,
    config.self.party,
    config.bells?.read[0],
    config.isolation === 'process',
  );
  if (config.isolation === 'process') store.onLargeView = tolerateLargeViews;
  const host = new PartyHost({
    self: config.self,
    block,
    store,
    bell,
    spinners: config.spinners,
    yieldCore: config.isolation === 'process' ? libc()?.yieldCore : undefined,
    role: 'worker',
    log: (line) => sayOnStderr(line),
  });
  startIsOver();
  const executions = new Executions(host, config.checkWrites);
  host.executions = executions;
  new WorkerOutput(config.self.party, executions).install();
  host.onHostMessage = answerWithReport(host);
  const engine = new OwnedEngine(host, config.isolation, config.arrays);
  threadState().onWorker = true;
  addEngine(engine);

  const control = 0;
  const lastWords = (text: string): void => host.mailer.post(control, { type: 'last-words', text });
  executions.onForced = (why) => {
    lastWords(`ended: ${why}`);
    process.exit(0);
  };
  executions.onRetire = executions.onForced;
  /** It ends of an error that is no run's; actors have the chance to let go of what they have. */
  let crashed = false;
  const crash = (error: Error): void => {
    console.error(error);
    if (crashed) return;
    crashed = true;
    lastWords(`of an uncaught error: ${error?.name}: ${error?.message}`);
    if (executions.actors.size === 0) process.exit(1);
    setTimeout(() => process.exit(1), ACTORS_END_MS.crash);
    void executions.actors.leave().then(() => process.exit(1));
  };
  process.on('uncaughtException', (error: Error) => {
    if (!executions.failCurrent(error)) crash(error);
  });
  process.on('unhandledRejection', (reason: unknown) => {
    if (executions.failCurrent(reason)) return;
    if (executions.inActor) {
      crash(reason as Error);
      return;
    }
    console.error(`sheaf: a promise of a task that had ended was rejected on worker ${config.self.party}:`, reason);
  });
  process.on('exit', (code) => {
    if (code !== 0 && !crashed) lastWords(`a task called process.exit(${code})`);
  });

  host.mailer.post(control, { type: 'hello', pid: isMainThread ? process.pid : threadId });
  host.reactor.keepAlive();
  host.reactor.kick();
}
