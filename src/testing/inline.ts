import { type ConnectOptions, connect, type Session } from '../tasks/index.ts';

/**
 * A session whose tasks run in this thread, one after the other: `connect({ mode: 'inline' })`. It opens in a millisecond or
 * two, so that each test can have its own: `await using session = await inline()`.
 */
export function inline(options: Omit<ConnectOptions, 'mode'> = {}): Promise<Session> {
  return connect({ ...options, mode: 'inline' });
}
