import { CodecError, formatBytes } from '../base/index.ts';
import { Decoder, Encoder } from '../codec/index.ts';

/** What a function may take along: every worker that runs it gets a copy of its own. */
const MOST_CAPTURED = 64 * 1024 ** 2;

export type Captures = Readonly<Record<string, unknown>>;

/** A captured value that can't be sent. */
export interface BadCapture {
  readonly name: string;
  /** Completes the sentence: "... uses "name" at ..., ". */
  readonly because: string;
  readonly advice: string;
  readonly path: string;
  readonly cause: CodecError;
}

/**
 * Captured values as they are now: later changes do not count. They stay bytes until a worker has loaded what the function
 * imports, which may be what registers the classes in them.
 */
export function encodeCaptures(captures: Captures, isRef: (value: object) => boolean): Uint8Array | BadCapture {
  try {
    const encoded = encode(captures, 'captures', isRef);
    return typeof encoded === 'number' ? tooLarge(captures, encoded, isRef) : encoded;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    for (const [name, value] of Object.entries(captures)) {
      try {
        encode(value, name, isRef);
      } catch (cause) {
        if (cause instanceof CodecError) return explain(name, value, cause);
        throw cause;
      }
    }
    throw error;
  }
}

export function decodeCaptures(bytes: Uint8Array): Captures {
  return new Decoder().decode(bytes, 0, bytes.length) as Captures;
}

/** What the encoder finds to be a reference. */
class RefInside extends Error {}

/** The bytes, or how many there would be, when they are too many. */
function encode(value: unknown, root: string, isRef: (value: object) => boolean): Uint8Array | number {
  const encoder = new Encoder({
    isRef: (object) => {
      if (isRef(object)) throw new RefInside();
      return false;
    },
  });
  // Beyond the limit large data stays where it is, so that finding out costs nothing.
  const { bytes, length, buffers } = encoder.encode(value, root, MOST_CAPTURED);
  const size = buffers.reduce((sum, part) => sum + part.byteLength, length);
  return size > MOST_CAPTURED ? size : new Uint8Array(bytes.subarray(0, length));
}

function tooLarge(captures: Captures, size: number, isRef: (value: object) => boolean): BadCapture {
  const sizeOf = (value: unknown): number => {
    const encoded = encode(value, 'value', isRef);
    return typeof encoded === 'number' ? encoded : encoded.length;
  };
  const [name] = Object.entries(captures)
    .map(([name, value]) => [name, sizeOf(value)] as const)
    .reduce((a, b) => (b[1] > a[1] ? b : a));
  const because = `the largest of captures that take ${formatBytes(size)}; at most ${formatBytes(MOST_CAPTURED)} can go along with a function, of which every worker gets a copy`;
  return {
    name,
    because,
    advice: 'put() the data once, and pass the Ref as an argument.',
    path: name,
    cause: new CodecError(`the captures take ${formatBytes(size)}`),
  };
}

function explain(name: string, value: unknown, cause: CodecError): BadCapture {
  const path = String(cause.details?.path ?? name);
  if (cause.cause instanceof RefInside) {
    const what = path === name ? 'a captured Ref' : `a captured value with a Ref in it (${path})`;
    return {
      name,
      because: `${what}: a Ref belongs to a session and to those who hold it, and a definition is sent whenever it is needed`,
      advice: 'Pass it as an argument, which moves no data.',
      path,
      cause,
    };
  }
  const advice =
    typeof value === 'function'
      ? 'Move it to the top level of the file, from where it travels along.'
      : 'Capture data, and make the rest inside of the function or in a module that it imports.';
  return { name, because: `a captured value that can't travel (${cause.message})`, advice, path, cause };
}
