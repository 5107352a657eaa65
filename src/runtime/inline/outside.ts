import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Calls a function as code of nobody: outside of every task, scope and `session.run`. Inline mode does its own work there,
 * because with program and tasks in one thread whatever settles a value would otherwise lend its context to those who
 * waited for it, and whoever makes a call, to the task that runs then.
 */
export const outside: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();
