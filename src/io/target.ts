import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { UsageError } from '../base/index.ts';
import { pathOf } from './source.ts';

/** Text is gathered until it is worth a call. */
const GATHERED = 1 << 20;

/**
 * Writes a file whole: under another name first, so that nobody sees a part of it, and a file that was there stays until the new one is
 * complete. Returns how many bytes it has.
 */
export async function writeWhole(
  target: string | URL,
  pieces: Iterable<Uint8Array | string>,
  what: string,
): Promise<number> {
  const path = pathOf(target, what);
  const temporary = `${path}.${randomUUID().slice(0, 8)}.part`;
  let size = 0;
  try {
    const file = await open(temporary, 'wx');
    try {
      let text = '';
      const flush = async (): Promise<void> => {
        if (text !== '') size += (await file.write(text)).bytesWritten;
        text = '';
      };
      for (const piece of pieces) {
        if (typeof piece === 'string') {
          text += piece;
          if (text.length >= GATHERED) await flush();
          continue;
        }
        await flush();
        for (let done = 0; done < piece.length; )
          done += (await file.write(piece, done, Math.min(piece.length - done, 1 << 30))).bytesWritten;
        size += piece.length;
      }
      await flush();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new UsageError(`${what}: ${path} can't be written: ${(error as Error).message}`, {
      cause: error,
      details: { path },
    });
  }
  return size;
}
