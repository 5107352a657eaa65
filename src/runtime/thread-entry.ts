import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A thread of a file. Threads inherit the flags of the process, and where the program was given as text in a language
 * (`node --input-type=module -e ...`) none may begin with a file; with a text that imports it one may.
 */
export function threadOf(path: string, options: WorkerOptions): Worker {
  const isText = process.execArgv.some((flag) => flag.startsWith('--input-type'));
  if (!isText) return new Worker(path, options);
  return new Worker(`import(${JSON.stringify(pathToFileURL(path).href)})`, { ...options, eval: true });
}
