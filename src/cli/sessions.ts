import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { folderProblem, type NodeReport, runtimeFolder } from '../runtime/index.ts';
import { CommandError } from './output.ts';

export interface Sessions {
  readonly running: readonly NodeReport[];
  /** Sockets where somebody listens and nobody answered in time. */
  readonly silent: readonly string[];
  /** Sockets whose session is gone; they have been removed. */
  readonly removed: readonly string[];
}

type Answer = { report: NodeReport } | 'gone' | 'silent';

/** Asks every running session of this user; each has `patience` milliseconds. */
export async function askSessions(patience = 1000): Promise<Sessions> {
  const folder = runtimeFolder();
  const problem = folderProblem(folder);
  if (problem !== undefined) throw new CommandError(`sessions can't be looked for safely: ${problem}`);
  const sockets = socketsIn(folder);
  const answers = await Promise.all(sockets.map((path) => ask(path, patience)));
  const running: NodeReport[] = [];
  const silent: string[] = [];
  const removed: string[] = [];
  for (const [i, answer] of answers.entries()) {
    const path = sockets[i]!;
    if (answer === 'silent') silent.push(path);
    else if (answer === 'gone') {
      rmSync(path, { force: true });
      removed.push(path);
    } else running.push(answer.report);
  }
  running.sort((a, b) => b.upMs - a.upMs);
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

function ask(path: string, patience: number): Promise<Answer> {
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
    socket.on('connect', () => socket.write('{"ask":"status"}\n'));
    socket.on('data', (piece: string) => {
      text += piece;
      if (!text.endsWith('\n')) return;
      try {
        const { answer } = JSON.parse(text) as { answer?: NodeReport };
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
