import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { types } from 'node:util';
import { CodecError, errorTypes, SheafError, WorkerDiedError } from '../base/index.ts';
import { Decoder, Encoder, emptySource, registerCodec } from './index.ts';
import { roundTrip } from './round-trip.ts';

describe('an error arrives', () => {
  for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
    it(`as ${type.name}, with message, stack and cause`, () => {
      const error = new type('what happened', { cause: { deep: [1] } });
      const copy = roundTrip(error) as Error;
      assert.equal(Object.getPrototypeOf(copy), type.prototype);
      assert.ok(types.isNativeError(copy));
      assert.deepStrictEqual(Object.getOwnPropertyNames(copy).sort(), ['cause', 'message', 'stack']);
      assert.deepEqual(Object.keys(copy), []);
      assert.equal(copy.stack, error.stack);
      assert.equal(copy.message, 'what happened');
      assert.deepStrictEqual(copy.cause, { deep: [1] });
      assert.equal(String(copy), String(error));
    });
  }

  it('with the errors it gathers', () => {
    const copy = roundTrip(new AggregateError([new TypeError('a'), 5], 'both')) as AggregateError;
    assert.ok(copy instanceof AggregateError);
    assert.ok(copy.errors[0] instanceof TypeError);
    assert.equal(copy.errors[1], 5);
    assert.deepEqual(Object.keys(copy), []);
  });

  it('with the two errors of a failed disposal', (t) => {
    const { SuppressedError } = globalThis as { SuppressedError?: new (e: unknown, s: unknown, m: string) => Error };
    if (SuppressedError === undefined) return t.skip('this Node has none');
    const copy = roundTrip(new SuppressedError(new TypeError('a'), new RangeError('b'), 'both')) as {
      error: unknown;
      suppressed: unknown;
    };
    assert.equal(Object.getPrototypeOf(copy), SuppressedError.prototype);
    assert.ok(copy.error instanceof TypeError && copy.suppressed instanceof RangeError);
    assert.deepEqual(Object.keys(copy), []);
  });

  it('with no more than it had', () => {
    const error = new Error();
    assert.ok(!Object.hasOwn(roundTrip(error) as Error, 'message'));
    assert.ok(!('cause' in (roundTrip(error) as Error)));
    assert.ok('cause' in (roundTrip(new Error('x', { cause: undefined })) as Error));
  });

  it('with the fields of a system error', () => {
    const error = Object.assign(new Error('ENOENT: no such file'), {
      code: 'ENOENT',
      errno: -2,
      path: '/x',
      __proto__x: 1,
    });
    const copy = roundTrip(error) as Error;
    assert.deepStrictEqual({ ...copy }, { ...error });
  });

  it('of an unknown class as its nearest built-in one, with its name and fields', () => {
    class HttpError extends TypeError {
      readonly status: number;
      constructor(status: number) {
        super(`status ${status}`);
        this.name = 'HttpError';
        this.status = status;
      }
    }
    const copy = roundTrip(new HttpError(404)) as HttpError;
    assert.equal(Object.getPrototypeOf(copy), TypeError.prototype);
    assert.equal(copy.name, 'HttpError');
    assert.equal(copy.status, 404);
    class Named extends Error {
      override get name() {
        return 'FromPrototype';
      }
    }
    assert.equal((roundTrip(new Named('x')) as Error).name, 'FromPrototype');
  });

  for (const [name, type] of Object.entries(errorTypes)) {
    it(`as our ${name}, with code, details and cause`, () => {
      const error = new type('what', { code: 'ERR_X', details: { node: 3 }, cause: new RangeError('why') });
      const copy = roundTrip(error) as SheafError;
      assert.equal(Object.getPrototypeOf(copy), type.prototype);
      assert.ok(copy instanceof type && copy instanceof SheafError && types.isNativeError(copy));
      assert.deepStrictEqual(copy.toJSON(), error.toJSON());
      assert.equal(copy.stack, error.stack);
      assert.deepEqual(Object.keys(copy), Object.keys(error));
    });
  }

  it('of a class below ours without running a constructor', () => {
    let constructed = 0;
    class Special extends WorkerDiedError {
      constructor() {
        super('special');
        constructed++;
      }
    }
    const copy = roundTrip(new Special()) as SheafError;
    assert.equal(Object.getPrototypeOf(copy), WorkerDiedError.prototype);
    assert.equal(constructed, 1);
  });

  it('as the abort of a signal', () => {
    const { reason } = AbortSignal.abort() as { reason: DOMException };
    const copy = roundTrip(reason) as DOMException;
    assert.ok(copy instanceof DOMException);
    assert.deepEqual([copy.name, copy.message, copy.code], [reason.name, reason.message, 20]);
    assert.equal(copy.stack, reason.stack);
  });

  it('whatever the program has set to format stacks', () => {
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (_, sites) => sites;
    try {
      const copy = roundTrip(new Error('x')) as Error;
      assert.equal(copy.message, 'x');
    } finally {
      Error.prepareStackTrace = before;
    }
  });
});

/** What arrives of an error of which not everything can be sent. */
function sent(
  error: Error,
  options: { isRef?(v: object): boolean; hasRoom?(b: ArrayBufferLike): boolean } = {},
): Error {
  const encoder = new Encoder({ isRef: () => false, ...options });
  const { bytes, length } = encoder.encodeError(error, 'error', 2 ** 30);
  return new Decoder().decode(bytes.slice(0, length), 0, length, { ...emptySource, refs: ['a reference'] }) as Error;
}

function assertSaysSo(value: unknown, message: RegExp): void {
  assert.ok(value instanceof CodecError, String(value));
  assert.match(value.message, message);
  assert.equal(value.stack, String(value), 'the stack of the encoder is of no use');
}

describe('an error that can’t be sent whole', () => {
  it('is sent as it is where it can be', () => {
    const error = Object.assign(new TypeError('whole', { cause: [1] }), { n: 1 });
    assert.deepEqual(sent(error), roundTrip(error));
  });

  it('keeps its class, message, stack, cause and other fields; each culprit says what it was', () => {
    const cause = new SyntaxError('why');
    const error = Object.assign(new RangeError('what', { cause }), {
      code: 'E_X',
      retry: () => 1,
      config: { deep: [{ hook() {} }] },
      list: [1, { two: 2 }],
      token: Symbol('t'),
    });
    const copy = sent(error) as typeof error & { cause: Error };
    assert.equal(Object.getPrototypeOf(copy), RangeError.prototype);
    assert.deepEqual([copy.message, copy.stack, copy.code], ['what', error.stack, 'E_X']);
    assert.deepEqual(copy.list, [1, { two: 2 }]);
    assert.ok(copy.cause instanceof SyntaxError && copy.cause.message === 'why');
    assert.deepEqual(Object.keys(copy), Object.keys(error));
    assertSaysSo(copy.retry, /^error\.retry: function retry can't be sent/);
    assertSaysSo(copy.config, /^error\.config\.deep\[0\]\.hook: function hook can't be sent/);
    assertSaysSo(copy.token, /^error\.token: Symbol\(t\) can't be sent/);
    assert.deepEqual((copy.retry as unknown as CodecError).details, { path: 'error.retry' });
  });

  it('loses only the innermost field around what can’t be sent', () => {
    const inner = Object.assign(new TypeError('inner'), { f() {}, kept: 1 });
    const error = new Error('outer', { cause: Object.assign(new Error('middle'), { context: { inner } }) });
    const { cause } = sent(error) as { cause: Error & { context: { inner: typeof inner } } };
    assert.equal(cause.message, 'middle');
    assert.equal(cause.context.inner.kept, 1);
    assertSaysSo(cause.context.inner.f, /^error\.cause\.context\.inner\.f: function f/);
  });

  it('keeps cycles, and what its fields share', () => {
    const shared = { a: 1 };
    const error = new Error('cyclic') as unknown as Record<string, unknown>;
    Object.assign(error, { shared, again: [shared], f() {}, self: error, context: { error } });
    const copy = sent(error as unknown as Error) as unknown as typeof error;
    assert.equal(copy.self, copy);
    assert.equal((copy.context as { error: unknown }).error, copy);
    assert.equal((copy.again as unknown[])[0], copy.shared);
    assertSaysSo(copy.f, /^error\.f: function f/);
  });

  it('keeps the other errors that it gathers', () => {
    const bad = Object.assign(new TypeError('bad'), { f() {}, n: 2 });
    const error = new AggregateError([new RangeError('good'), bad, () => 1, 'text'], 'several');
    const [good, partly, none, text] = (sent(error) as AggregateError).errors;
    assert.ok(good instanceof RangeError && partly instanceof TypeError);
    assert.equal(partly.message, 'bad');
    assert.equal((partly as unknown as { n: number }).n, 2);
    assertSaysSo(none, /^error\.errors\[2\]: function can't/);
    assert.equal(text, 'text');
    const odd = new AggregateError([], 'odd');
    Object.defineProperty(odd, 'errors', {
      get() {
        throw new Error('no list');
      },
    });
    const { errors } = sent(odd) as AggregateError;
    assert.equal(errors.length, 1);
    assertSaysSo(errors[0], /^error\.errors: reading it failed with Error: no list/);
  });

  it('keeps texts where everybody expects them', () => {
    const error = new Error('x');
    Object.assign(error, { message: Symbol('m'), name: () => 'n' });
    const copy = sent(error);
    assert.match(copy.message, /^error\.message: Symbol\(m\)/);
    assert.match(copy.name, /^error\.name: function/);
  });

  it('whose getters throw, or that is nested too deeply, is cut there', () => {
    let chain: Error = new Error('last');
    for (let i = 0; i < 5000; i++) chain = new Error(`level ${i}`, { cause: chain });
    const top = sent(chain);
    assert.equal(top.message, 'level 4999');
    let at: Error = top;
    let depth = 0;
    while (at.cause instanceof Error && !(at.cause instanceof CodecError)) {
      at = at.cause;
      depth++;
    }
    assert.ok(depth > 900, `cut after ${depth}`);
    assertSaysSo(at.cause, /nested more than 1000 levels deep/);
    const own = Object.defineProperty(new Error('getter'), 'x', {
      enumerable: true,
      get() {
        throw new TypeError('no');
      },
    });
    assertSaysSo((sent(own) as Error & { x: unknown }).x, /^error\.x: reading it failed with TypeError: no/);
  });

  it('of a class with a codec is an instance of it, and loses what its wire form loses', () => {
    class Timed extends Error {
      readonly at: Date;
      constructor(at: Date, message: string) {
        super(message);
        this.at = at;
      }
    }
    registerCodec(Timed, {
      id: 'test.Timed',
      encode: ({ at, message }) => [at, message] as const,
      decode: ([at, message]) => new Timed(at, message),
    });
    const copy = sent(new Timed(new Date(5), 'm'));
    assert.ok(copy instanceof Timed);
    assert.deepEqual([copy.at.getTime(), copy.message], [5, 'm']);
  });

  it('of a class whose codec fails goes as any other error', () => {
    class Registered extends TypeError {
      readonly kept = 1;
      override readonly name = 'Registered';
    }
    registerCodec(Registered, {
      id: 'test.Registered',
      encode: (): number => {
        throw new Error('its codec is broken');
      },
      decode: () => new Registered(),
    });
    const copy = sent(new Registered('m')) as Registered;
    assert.equal(Object.getPrototypeOf(copy), TypeError.prototype);
    assert.deepEqual([copy.name, copy.message, copy.kept], ['Registered', 'm', 1]);
  });

  it('keeps its references but those that are refused', () => {
    class Ref {}
    const error = Object.assign(new Error('refs'), { good: new Ref(), bad: new Ref() });
    const copy = sent(error, {
      isRef: (value) => {
        if (value === error.bad) throw new Error('it was released');
        return value instanceof Ref;
      },
    }) as typeof error;
    assert.equal(copy.good, 'a reference');
    assertSaysSo(copy.bad, /^error\.bad: reading it failed with Error: it was released/);
  });

  it('keeps of its binary data what there is room for', () => {
    const room = new ArrayBuffer(4096);
    const error = Object.assign(new Error('data'), {
      there: new Uint8Array(room),
      small: new Uint8Array(1000),
      large: new Float64Array(1000),
      buffer: new ArrayBuffer(2000),
    });
    const copy = sent(error, { hasRoom: (buffer) => buffer === room }) as typeof error;
    assert.deepEqual([copy.there.length, copy.small.length], [4096, 1000]);
    assertSaysSo(copy.large, /^error\.large: shared memory has no room for its 8000 bytes/);
    assertSaysSo(copy.buffer, /^error\.buffer: shared memory has no room for its 2000 bytes/);
  });

  it('is given up when next to nothing of it can be sent, or each look shows something else', () => {
    const hopeless = new Error('x');
    for (let i = 0; i < 200; i++) Object.assign(hopeless, { [`f${i}`]: () => i });
    assert.throws(() => sent(hopeless), CodecError);
    const shifting = Object.defineProperty(new Error('x'), 'next', {
      enumerable: true,
      get: () => Object.assign(new Error('another'), { f() {} }),
    });
    assert.throws(() => sent(shifting), CodecError);
  });

  it('leaves the encoder strict for what comes next', () => {
    const encoder = new Encoder({ isRef: () => false });
    const error = Object.assign(new Error('x'), { f() {} });
    encoder.encodeError(error, 'error', 0);
    assert.throws(() => encoder.encode({ error }, 'value', 0), /^CodecError: value\.error\.f: function f/);
  });
});
