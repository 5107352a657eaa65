import { FormatError, OutOfMemoryError, SheafError, UsageError } from '../base/index.ts';

/**
 * An error of the engine as one of ours. `what` names what was computed; the engine's own text says the rest, without the SQL that it quotes, which nobody has
 * written who reads it.
 */
export function faultOf(error: unknown, what: string): unknown {
  if (error instanceof SheafError || !(error instanceof Error)) return error;
  const [, kind = '', said = error.message] =
    /^(?:Failed to [a-z ]+: )?([A-Z][A-Za-z ]+) Error: ([\s\S]*)$/.exec(error.message) ?? [];
  const message = `${what}: ${said.replace(/\n\nLINE \d+:[\s\S]*$/, '').trim()}`;
  switch (kind) {
    case 'Out of Memory':
      // What it advises is not in our users' hands.
      return new OutOfMemoryError(`${message.split('\n')[0]}; give more partitions, or connect({ memory }) with more`, {
        cause: error,
      });
    case 'IO':
    case 'Permission':
      return new UsageError(`${message}; look whether the file is there and may be read`, {
        code: 'ERR_SHEAF_FRAME_FILE',
        cause: error,
      });
    case 'Parser':
    case 'Binder':
    case 'Catalog':
    case 'Syntax':
      return new UsageError(message, { code: 'ERR_SHEAF_FRAME_SQL', cause: error });
    default:
      return new FormatError(message, { code: 'ERR_SHEAF_FRAME_VALUE', cause: error });
  }
}
