// Runs on workers, for csv-parts.ts.
import type { SlotRef } from '../memory/index.ts';
import { threadState } from '../runtime/index.ts';
import { LinesOfFile } from './csv-part.ts';
import { type Pieces, ringOf, scanPiece } from './csv-parts.ts';
import { NO_ROOM, NONE_LEFT } from './csv-ring.ts';

/** So long one waits for room in all, in milliseconds: whoever empties the slots may have something else to do. */
const PATIENCE = 50;
const NAP = 0.2;

/** Scans pieces of a file as long as there are any. One that comes late touches nothing. */
export async function scanCsvPieces(thread: number, index: number, generation: number, pieces: Pieces): Promise<void> {
  const store = threadState().single?.store;
  if (store === undefined) return;
  const slot: SlotRef = { index, generation };
  store.use(slot);
  try {
    const ring = ringOf(store.bytes(slot), pieces);
    ring.begin(thread);
    const { path, range, columns, dialect } = pieces;
    const lines = new LinesOfFile(path, range, columns, dialect);
    try {
      for (let slept = 0; slept < PATIENCE; ) {
        const piece = ring.take();
        if (piece === NONE_LEFT) return;
        if (piece !== NO_ROOM) scanPiece(lines, ring, pieces, piece);
        else {
          const begun = performance.now();
          ring.wait(NAP);
          slept += performance.now() - begun;
        }
      }
    } finally {
      lines.close();
    }
  } finally {
    if (store.usable) store.unuse(slot);
  }
}
