import { ownerKeyOf } from '../../protocol/index.ts';
import type { Counts } from './checks.ts';
import { type Config, configure } from './config.ts';
import { Control } from './control.ts';
import type { Host } from './host.ts';
import {
  type Body,
  body,
  evaluate,
  Reference,
  type Twin,
  type TwinErrors,
  type TwinOutcome,
  type Value,
} from './program.ts';
import { type Failure, type Handle, type Payload, Raised, STANDSTILL, Violation } from './values.ts';
import { World } from './world.ts';

export type { Counts } from './checks.ts';
export { type Config, configure } from './config.ts';

export interface SimulationResult {
  readonly seed: number;
  /** Undefined when all went as the rules promise. */
  readonly problem: string | undefined;
  readonly tasks: number;
  readonly events: number;
  readonly deaths: number;
  /** Demands refused because every worker was held by a task that waited. */
  readonly standstills: number;
  /** Idle workers ended to make room for those of the other isolation. */
  readonly retired: number;
  readonly counts: Counts;
  /** Of virtual time. */
  readonly milliseconds: number;
}

/** Runs one random program under one random schedule, and checks it against the twin and for leaks. */
export function simulate(
  seed: number,
  trace?: (line: string) => void,
  config: Config = configure(seed),
): SimulationResult {
  const world = new World(config, trace);
  let control: Control | undefined;
  let tasks = 0;
  let problem: string | undefined;
  try {
    const twin = evaluate(config.program, config.root);
    tasks = twin.tasks;
    control = new Control(world);
    const { driver } = control;
    driver.executions.startDriver(driverProgram(config, twin.outcome));
    world.run(400_000);
    if (!driver.finished) throw new Violation(`the driver hangs\n${explain(control)}`);
    checkEnd(world, control);
  } catch (error) {
    problem = error instanceof Violation ? error.message : String((error as Error).stack);
    if (problem.startsWith('still busy') && control !== undefined) problem += `\n${explain(control)}`;
  }
  return {
    seed,
    problem,
    tasks,
    events: world.steps,
    deaths: control?.deaths ?? 0,
    standstills: control?.standstills ?? 0,
    retired: control?.retired ?? 0,
    counts: world.counts,
    milliseconds: world.now / 1000,
  };
}

/** The random program, and then a look at every value that can be reached from what it returns. */
function* driverProgram(config: Config, expected: TwinOutcome): Body<Handle> {
  const outcomes = yield* body<Handle>(config.program, config.root, [], 0, true);
  const [outcome] = outcomes as readonly { value: Value<Handle> }[];
  yield* compare((outcome as { value: Value<Handle> }).value, (expected as { value: Value<Twin> }).value, 'result');
  return outcomes;
}

function* compare(actual: Value<Handle>, expected: Value<Twin>, path: string): Generator<never, void, unknown> {
  if (expected instanceof Reference) {
    if (!(actual instanceof Reference)) throw new Violation(`${path}: a value instead of a reference`);
    let value: Value<Handle>;
    try {
      [value] = (yield { type: 'await', refs: [actual] } as never) as [Value<Handle>];
    } catch (error) {
      if (!(error instanceof Raised)) throw error;
      const { failure, carried } = error;
      checkFailure(failure, expected.it.outcome, path);
      if (failure.kind !== 'program') return;
      // It came whole, with what is in its fields, however many tasks it has passed.
      const errors = (expected.it.outcome as { errors: TwinErrors }).errors;
      yield* compare(carried, errors.get(failure.identity) as Value<Twin>, `${path}.error`);
      return;
    }
    const { outcome } = expected.it;
    if (!('value' in outcome)) throw new Violation(`${path}: a value instead of ${[...outcome.errors.keys()]}`);
    yield* compare(value, outcome.value, `${path}.value`);
    return;
  }
  if (typeof expected === 'number') {
    if (actual !== expected) throw new Violation(`${path}: ${JSON.stringify(actual)} instead of ${expected}`);
    return;
  }
  if (!Array.isArray(actual) || actual.length !== expected.length) throw new Violation(`${path}: another list`);
  for (let i = 0; i < expected.length; i++) {
    yield* compare(actual[i] as Value<Handle>, expected[i] as Value<Twin>, `${path}[${i}]`);
  }
}

/** Injected failures may show anywhere; where each of them is made, it is checked that it may be. */
function checkFailure(failure: Failure, expected: TwinOutcome, path: string): void {
  if (failure.kind === 'cancelled' || failure.kind === 'worker-died' || failure.kind === 'lost') return;
  if (failure.identity === STANDSTILL) return;
  if ('value' in expected) throw new Violation(`${path}: ${failure} instead of a value`);
  if (!expected.errors.has(failure.identity)) {
    throw new Violation(`${path}: ${failure} instead of one of ${[...expected.errors.keys()]}`);
  }
}

function checkEnd(world: World, control: Control): void {
  const { directory, scheduler } = control;
  const leaks: string[] = [];
  const expect = (what: string, ok: boolean): void => {
    if (!ok) leaks.push(what);
  };
  for (const entry of directory.entries()) leaks.push(`directory has ${JSON.stringify(entry)}`);
  expect(`the directory has ${directory.strays} strays`, directory.strays === 0);
  for (const host of control.hosts.values()) {
    if (!host.alive) {
      leaks.push(`${host.name} is not buried`);
      continue;
    }
    const { references, owner, executor, lineage } = host.party;
    for (const [id, cell] of references.owned)
      leaks.push(`${host.name} owns ${id}: holds ${cell.holds} state ${cell.state}`);
    for (const [id, cell] of references.borrowed) {
      leaks.push(`${host.name} borrows ${id} of ${ownerKeyOf(id)}: holds ${cell.holds} credits ${cell.credits}`);
    }
    expect(
      `${host.name} has ${executor.unacknowledged.size} unacknowledged results`,
      executor.unacknowledged.size === 0,
    );
    expect(`${host.name} has ${owner.pending} pending tasks`, owner.pending === 0);
    expect(
      `${host.name} has tasks in flight`,
      owner.inFlight.every((task) => task === null),
    );
    expect(`${host.name} has ${host.executions.runs.size} runs`, host.executions.runs.size === 0);
    expect(`${host.name} counts runs`, executor.running === 0 && executor.suspended === 0);
    for (const task of lineage.tasks()) {
      task.eachResult((cell) =>
        leaks.push(`${host.name} keeps a task: state ${cell.state} holds ${cell.holds} lineage ${cell.lineage}`),
      );
    }
    expect(
      `${host.name} keeps ${lineage.size} tasks, ${lineage.bytes} bytes`,
      lineage.size === 0 && lineage.bytes === 0,
    );
    for (const queue of owner.queues) {
      expect(`${host.name} has leases`, queue.leases.length === 0);
      expect(`${host.name} has tasks waiting`, queue.waiting.size === 0);
      expect(`${host.name} counts tasks in flight`, queue.inFlight === 0);
    }
  }
  for (const object of world.objects) expect(`${object.name} has ${object.total} pins`, object.total === 0);
  const { free, capacity } = scheduler;
  expect(`cpus: ${free.cpus} of ${capacity.cpus} free`, free.cpus === capacity.cpus);
  expect(`gpus: ${free.gpus} of ${capacity.gpus} free`, free.gpus === capacity.gpus);
  expect(`memory: ${free.memory} of ${capacity.memory} free`, free.memory === capacity.memory);
  for (const [name, amount] of Object.entries(capacity.custom)) {
    expect(`${name}: ${free.custom[name]} of ${amount} free`, free.custom[name] === amount);
  }
  expect(`demands are left: ${JSON.stringify(scheduler.explain())}`, !scheduler.waiting);
  for (const worker of scheduler.workers()) {
    expect(`worker ${worker.worker} is ${worker.state} with ${worker.leases} leases`, worker.leases === 0);
  }
  if (leaks.length > 0) throw new Violation(leaks.join('\n'));
}

function explain(control: Control): string {
  const lines = [`free ${JSON.stringify(control.scheduler.free)}`];
  for (const row of control.scheduler.explain()) lines.push(`demand ${JSON.stringify(row)}`);
  for (const worker of control.scheduler.workers()) {
    if (worker.state !== 'idle') lines.push(JSON.stringify(worker));
  }
  for (const host of control.hosts.values()) {
    if (host.party.owner.pending > 0 || host.executions.runs.size > 0) lines.push(describeHost(host));
  }
  return lines.join('\n');
}

function describeHost(host: Host): string {
  const { owner, executor } = host.party;
  const queues = owner.queues
    .filter((q) => q.waiting.size + q.inFlight + q.leases.length > 0)
    .map(
      (q) =>
        `shape ${JSON.stringify(q.shape)} waiting ${q.waiting.size} inFlight ${q.inFlight} demanded ${q.demanded} leases ${q.leases.map((l) => `${l.id}@${l.worker}:${l.inFlight}${l.reclaimed ? 'r' : ''}`)}`,
    );
  return `${host.name}${host.alive ? '' : ' (dead)'} pending ${owner.pending} running ${executor.running} suspended ${executor.suspended}\n   ${queues.join('\n   ')}`;
}

export type { Payload };
