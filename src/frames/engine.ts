import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { loadPeer } from '../io/index.ts';

/** What of the engine is used. */
export type Connection = DuckDBConnection;
export type DuckDB = typeof import('@duckdb/node-api');

/** An engine that nobody uses is closed after so many milliseconds: opening one takes some ten. */
const IDLE = 1000;

interface Open {
  readonly memory: number;
  readonly instance: Promise<DuckDBInstance>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

let current: Open | undefined;

/** The package, which only frames need. */
export const duckdb = (): Promise<DuckDB> => loadPeer<DuckDB>('@duckdb/node-api', 'sheaf/frame');

/**
 * Calls `use` with a connection of its own to the engine of this process, which may take so many bytes. It runs in one thread, since each core has a
 * task; it loads and fetches no extensions, and writes no temporary files.
 */
export async function withConnection<T>(memory: number, use: (connection: Connection) => Promise<T>): Promise<T> {
  const open = acquire(memory, await duckdb());
  try {
    const connection = await (await open.instance).connect();
    try {
      return await use(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    release(open);
  }
}

function acquire(memory: number, { DuckDBInstance: Instance }: DuckDB): Open {
  if (current === undefined || current.memory !== memory) {
    current = {
      memory,
      instance: Instance.create(':memory:', {
        threads: '1',
        memory_limit: `${Math.ceil(memory / 1024)}KiB`,
        temp_directory: '',
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        // Files in memory have the same names again and again.
        enable_external_file_cache: 'false',
      }),
      users: 0,
      idle: undefined,
    };
  }
  clearTimeout(current.idle);
  current.users++;
  return current;
}

function release(open: Open): void {
  open.users--;
  if (open.users > 0) return;
  const close = (): void => {
    if (open.users > 0) return;
    if (current === open) current = undefined;
    open.instance.then(
      (instance) => instance.closeSync(),
      () => {},
    );
  };
  if (current !== open) close();
  else open.idle = setTimeout(close, IDLE).unref();
}
