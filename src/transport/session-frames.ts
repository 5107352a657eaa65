import { InternalError } from '../base/index.ts';
import type { SessionFrame } from './session.rules.ts';

/**
 * Frames of a session as bytes, little-endian.
 *
 * ```
 * hello         1 0 0 0 0 0 0 0   incarnation f64   knows f64      received f64
 * data          2 last 0 ...      sequence f64      received f64   message
 * acknowledge   3 0 ...           received f64
 * ```
 */
const HELLO = 1;
const DATA = 2;
const ACKNOWLEDGE = 3;
const DATA_HEADER = 24;

export function encodeFrame(frame: SessionFrame): Uint8Array {
  switch (frame.kind) {
    case 'hello':
      return numbers(HELLO, 32, [frame.incarnation, frame.knows, frame.received]);
    case 'acknowledge':
      return numbers(ACKNOWLEDGE, 16, [frame.received]);
    case 'data': {
      const bytes = numbers(DATA, DATA_HEADER + frame.message.length, [frame.sequence, frame.received]);
      if (frame.last) bytes[1] = 1;
      bytes.set(frame.message, DATA_HEADER);
      return bytes;
    }
  }
}

function numbers(kind: number, length: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes[0] = kind;
  for (let i = 0; i < values.length; i++) view.setFloat64(8 + 8 * i, values[i] as number, true);
  return bytes;
}

/** The message of a data frame is a view of `bytes`. */
export function decodeFrame(bytes: Uint8Array): SessionFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at: number): number => view.getFloat64(at, true);
  switch (bytes[0]) {
    case HELLO:
      return { kind: 'hello', incarnation: number(8), knows: number(16), received: number(24) };
    case ACKNOWLEDGE:
      return { kind: 'acknowledge', received: number(8) };
    case DATA:
      return {
        kind: 'data',
        sequence: number(8),
        received: number(16),
        last: bytes[1] === 1,
        message: bytes.subarray(DATA_HEADER),
      };
    default:
      throw new InternalError(`a session frame begins with ${bytes[0]}, which is no kind of frame`);
  }
}
