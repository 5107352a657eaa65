import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodecError } from '../base/index.ts';
import { Encoder } from './index.ts';
import { roundTrip } from './round-trip.ts';

class User {
  name = 'x';
}

function refusalOf(arg: unknown): string {
  const encoder = new Encoder({ isRef: () => false });
  try {
    encoder.encodeArgs([arg], undefined, 0);
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error));
    return error.message;
  }
  assert.fail('it was sent');
}

describe('a value that can’t travel is named by its path', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  cyclic.f = () => 1;
  const cases: [string, unknown, RegExp][] = [
    ['function', { callbacks: { onDone() {} } }, /^args\[0\]\.callbacks\.onDone: function onDone can't be sent/],
    ['anonymous function', [0, [() => 1]], /^args\[0\]\[1\]\[0\]: function can't/],
    ['class', { User }, /^args\[0\]\.User: class User can't be sent/],
    ['symbol', { s: Symbol('x') }, /^args\[0\]\.s: Symbol\(x\) can't be sent/],
    ['boxed symbol', { s: Object(Symbol.iterator) }, /^args\[0\]\.s/],
    [
      'instance',
      { user: new User() },
      /^args\[0\]\.user is an instance of class User, which has no codec; register one with registerCodec\(User, \{\.\.\.\}\), or pass plain data$/,
    ],
    ['odd keys', { 'on done': { 7: Symbol() } }, /^args\[0\]\["on done"\]\["7"\]: /],
    ['value of a map', new Map([['bob', { f() {} }]]), /^args\[0\]\.get\("bob"\)\.f: function f/],
    ['value of a map with an object as key', new Map([[{}, Symbol()]]), /^args\[0\]\.values\(\)\[0\]: /],
    [
      'key of a map',
      new Map<unknown, number>([
        ['a', 1],
        [() => 1, 2],
      ]),
      /^args\[0\]\.keys\(\)\[1\]: function/,
    ],
    ['item of a set', new Set([1, () => 1]), /^args\[0\]\.values\(\)\[1\]: function/],
    ['cause of an error', new Error('x', { cause: { f() {} } }), /^args\[0\]\.cause\.f: function f/],
    ['field of an error', Object.assign(new Error('x'), { config: { f() {} } }), /^args\[0\]\.config\.f: function f/],
    ['named property of an array', Object.assign([1], { f() {} }), /^args\[0\]\.f: function f/],
    ['after a cycle', cyclic, /^args\[0\]\.f: function can't/],
    ['promise', { p: Promise.resolve(1) }, /^args\[0\]\.p: a Promise can't be sent; await it first/],
    ['WeakMap', [new WeakMap()], /^args\[0\]\[0\]: a WeakMap can't be sent; use a Map/],
    [
      'generator',
      {
        g: (function* () {
          yield 1;
        })(),
      },
      /^args\[0\]\.g: a Generator can't be sent; collect/,
    ],
    ['iterator', [[1].values()], /^args\[0\]\[0\]: an Array Iterator can't be sent; collect/],
    [
      'blob',
      { b: new Blob(['x']) },
      /^args\[0\]\.b: a Blob can't be sent; its bytes can only be read asynchronously, .* send what `await blob\.arrayBuffer\(\)` gives/,
    ],
    ['port', { p: new MessageChannel().port1 }, /^args\[0\]\.p: a MessagePort can't be sent/],
    ['subclass of a built-in', [new (class Stack extends Array {})()], /^args\[0\]\[0\] is an instance of class Stack/],
    ['own prototype', [Object.create({ a: 1 })], /^args\[0\]\[0\] is an object with a prototype of its own/],
    ['not really a map', [Object.create(Map.prototype)], /^args\[0\]\[0\]: reading it failed with TypeError/],
    ['detached buffer', [detached()], /^args\[0\]\[0\]: its ArrayBuffer is detached/],
    ['view of a detached buffer', [detachedView()], /^args\[0\]\[0\]: its ArrayBuffer is detached/],
    ['revoked proxy', { p: revoked() }, /^args\[0\]\.p: reading it failed with TypeError/],
  ];
  for (const [name, value, expected] of cases) {
    it(name, () => assert.match(refusalOf(value), expected));
  }

  it('by the root of a result, and in its details', () => {
    const encoder = new Encoder({ isRef: () => false });
    assert.throws(
      () => encoder.encode({ a: [() => 1] }, 'result', 0),
      (e: CodecError) => e.message.startsWith('result.a[0]: function') && e.details?.path === 'result.a[0]',
    );
    assert.throws(() => encoder.encode(() => 1, 'result', 0), /^CodecError: result: function/);
  });

  it('what a getter or a proxy throws becomes the cause', () => {
    const cause = new Error('no');
    const value = {
      a: [
        {
          get b() {
            throw cause;
          },
        },
      ],
    };
    assert.throws(
      () => roundTrip(value),
      (e: CodecError) => e.message.startsWith('value.a[0].b: reading it failed with Error: no') && e.cause === cause,
    );
    const proxy = new Proxy(
      {},
      {
        ownKeys() {
          throw cause;
        },
      },
    );
    assert.throws(
      () => roundTrip({ proxy }),
      (e: CodecError) => e.message.startsWith('value.proxy') && e.cause === cause,
    );
  });

  it('nested too deeply', () => {
    let array: unknown[] = [];
    let list: unknown = null;
    for (let i = 0; i < 100_000; i++) {
      array = [array];
      list = { next: list };
    }
    for (const value of [array, list]) {
      assert.throws(
        () => roundTrip(value),
        (e: Error) => e instanceof CodecError && /nested more than/.test(e.message) && e.message.length < 500,
      );
    }
  });

  it('leaves the encoder usable, with nothing left of the failed value', () => {
    const encoder = new Encoder({ isRef: () => false });
    const shared = {};
    assert.throws(() => encoder.encode([shared, new Uint8Array(5000), () => 1], 'value', 0));
    const { buffers, bytes, length } = encoder.encode([shared], 'value', 0);
    assert.equal(buffers.length, 0);
    assert.deepEqual(
      [...bytes.subarray(0, length)],
      [...new Encoder({ isRef: () => false }).encode([{}], 'value', 0).bytes.subarray(0, length)],
    );
  });
});

describe('the deepest value that is sent', () => {
  it('arrives', () => {
    for (const wrap of [
      (v: unknown) => [v],
      (v: unknown) => ({ v }),
      (v: unknown) => new Map([[v, v]]),
      (v: unknown) => new Set([v]),
      (v: unknown) => Object.assign([], { v }),
      (v: unknown) => Object.assign(new Error('x'), { v, stack: '' }),
    ]) {
      let value: unknown = 1;
      for (let i = 0; i < 1000; i++) value = wrap(value);
      roundTrip(value);
    }
  });
});

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function detachedView(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
