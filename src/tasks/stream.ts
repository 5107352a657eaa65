import { CancelledError, CodecError, kindOf, UsageError } from '../base/index.ts';
import { registerCodec } from '../codec/index.ts';
import { IncomingStream, type Reference } from '../runtime/index.ts';
import type { Ref, Stream } from './types.ts';

/** What a call of a task that is a stream gives. */
class TaskStream implements Stream<unknown> {
  readonly #incoming: IncomingStream;

  constructor(incoming: IncomingStream) {
    this.#incoming = incoming;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    return new Items(this.#incoming, false);
  }

  refs(): AsyncIterable<Ref<unknown>> {
    const incoming = this.#incoming;
    return {
      [Symbol.asyncIterator]: () => new Items(incoming, true) as unknown as AsyncIterableIterator<Ref<unknown>>,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#incoming.leave(leftError(this.#incoming));
  }

  toJSON(): never {
    throw new UsageError('a Stream has no JSON form; read its items: for await (const item of stream)');
  }

  /** Unlike `instanceof` it asks nothing of an object, which may be a proxy that answers with errors. */
  static is(value: unknown): value is TaskStream {
    return typeof value === 'object' && value !== null && #incoming in value;
  }

  static incoming(stream: TaskStream): IncomingStream {
    return stream.#incoming;
  }
}

registerCodec(TaskStream, {
  id: 'sheaf/stream',
  encode: (): never => {
    throw new CodecError(
      'a Stream is read by who opened it and does not travel; open it where it is read, or pass on its items: stream.refs()',
    );
  },
  decode: (): never => {
    throw new CodecError('a Stream does not travel');
  },
});

function leftError(incoming: IncomingStream): CancelledError {
  return new CancelledError(`the loop over the stream of ${incoming.name} was left`);
}

/** A loop over a stream. */
class Items implements AsyncIterableIterator<unknown> {
  readonly #incoming: IncomingStream;
  readonly #asRefs: boolean;

  constructor(incoming: IncomingStream, asRefs: boolean) {
    this.#incoming = incoming;
    this.#asRefs = asRefs;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    return this.#incoming.next(this.#asRefs);
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.#incoming.leave(leftError(this.#incoming));
    return { done: true, value };
  }

  async throw(error: unknown): Promise<IteratorResult<unknown>> {
    this.#incoming.leave(leftError(this.#incoming));
    throw error;
  }
}

/** @internal */
export function openStream(incoming: IncomingStream): Stream<unknown> {
  return new TaskStream(incoming);
}

/** @internal */
export function isStream(value: unknown): value is Stream<unknown> {
  return TaskStream.is(value);
}

/** @internal */
export function incomingOf(stream: Stream<unknown>): IncomingStream {
  return TaskStream.incoming(stream as TaskStream);
}

/** @internal The reference that stands for the end of a stream: it is what scopes keep of one. */
export function endOf(stream: Stream<unknown>): Reference<unknown> {
  return incomingOf(stream).end;
}

/**
 * The items of several streams as they come, each with the index of its stream. A stream that fails ends the loop with its
 * error; leaving the loop, for whatever reason, ends all of them.
 *
 * @throws UsageError for what is no stream, or is given twice; the error of the first stream that fails.
 */
export function merge<T>(streams: readonly Stream<T>[]): AsyncIterable<[index: number, value: T]> {
  if (!Array.isArray(streams)) throw new UsageError(`merge takes an array of Streams, not ${kindOf(streams)}`);
  const incoming = Array.from(streams as readonly unknown[], (each, i) => {
    if (!isStream(each)) throw new UsageError(`merge: item ${i} is ${kindOf(each)}, not a Stream`);
    return incomingOf(each);
  });
  if (new Set(incoming).size < incoming.length) throw new UsageError('merge: a stream is given twice');
  return merged(incoming) as AsyncIterable<[number, T]>;
}

async function* merged(streams: readonly IncomingStream[]): AsyncGenerator<[index: number, value: unknown]> {
  const open = new Set(streams.keys());
  try {
    while (open.size > 0) {
      let any = false;
      // One of each in turn, so that a fast stream does not keep the others from being read.
      for (const i of open) {
        const each = streams[i] as IncomingStream;
        if (!each.ready) continue;
        any = true;
        const step = each.take(false);
        if (step.done === true) open.delete(i);
        else yield [i, step.value];
      }
      if (!any) await IncomingStream.any([...open].map((i) => streams[i] as IncomingStream));
    }
  } finally {
    for (const i of open) (streams[i] as IncomingStream).leave(leftError(streams[i] as IncomingStream));
  }
}
