import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { folderProblem, runtimeFolder } from '../runtime/index.ts';
import { CommandError, dim, say, sayJson, yellow } from './output.ts';

/** Which session, as every answer says. */
export interface Named {
  readonly node: string;
  readonly name: string;
  readonly pid: number;
}

export interface Sessions<T> {
  readonly running: readonly T[];
  /** Sockets where somebody listens and nobody answered in time. */
  readonly silent: readonly string[];
  /** Sockets whose session is gone; they have been removed. */
  readonly removed: readonly string[];
}

type Answer = { report: Named } | 'gone' | 'silent';

/** A question as `StatusServer` takes it. */
interface Question {
  readonly ask: string;
  readonly limit?: number;
  readonly seconds?: number;
}

/** Asks every running session of this user the same; each has `patience` milliseconds. In the order of their processes. */
export async function askSessions<T extends Named>(question: Question, patience = 1000): Promise<Sessions<T>> {
  const folder = runtimeFolder();
  const problem = folderProblem(folder);
  if (problem !== undefined) throw new CommandError(`sessions can't be looked for safely: ${problem}`);
  const sockets = socketsIn(folder);
  const answers = await Promise.all(sockets.map((path) => ask(path, question, patience)));
  const running: T[] = [];
  const silent: string[] = [];
  const removed: string[] = [];
  for (const [i, answer] of answers.entries()) {
    const path = sockets[i]!;
    if (answer === 'silent') silent.push(path);
    else if (answer === 'gone') {
      rmSync(path, { force: true });
      removed.push(path);
    } else running.push(answer.report as T);
  }
  running.sort((a, b) => a.pid - b.pid);
  return { running, silent, removed };
}

function socketsIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.sock'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true);
}

function ask(path: string, question: Question, patience: number): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end('silent'), patience);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`));
    socket.on('data', (piece: string) => {
      text += piece;
      if (!text.endsWith('\n')) return;
      try {
        const { answer } = JSON.parse(text) as { answer?: Named };
        end(answer === undefined ? 'silent' : { report: answer });
      } catch {
        end('silent');
      }
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'gone' : 'silent');
    });
    // Closed without an answer: it has just ended, and removed its socket itself.
    socket.on('close', () => end(text === '' ? 'silent' : 'gone'));
  });
}

/** What a command says that asks all sessions: each by `show`, or everything as JSON. */
export function saySessions<T extends Named>(sessions: Sessions<T>, json: boolean, show: (node: T) => void): void {
  const { running, silent, removed } = sessions;
  if (json) {
    sayJson({ sessions: running, silent, removed });
    return;
  }
  for (const [i, node] of running.entries()) {
    if (i > 0) say();
    show(node);
  }
  sayOthers(sessions);
}

/** The rest of what a command says that asks all sessions. */
export function sayOthers({ running, silent, removed }: Sessions<Named>): void {
  for (const path of silent) say(yellow(`${path}: somebody listens there and did not answer in time`));
  if (removed.length > 0) say(dim(`removed ${removed.length} of sessions that are gone`));
  if (running.length === 0 && silent.length === 0) say('no session of yours is running');
}
