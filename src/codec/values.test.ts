import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { Encoder } from './index.ts';
import { roundTrip } from './round-trip.ts';

function sparse(length: number, entries: Record<number, unknown>): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return Object.assign(array, entries);
}

const table: Record<string, unknown> = {
  undefined: undefined,
  null: null,
  true: true,
  false: false,
  'minus zero': -0,
  NaN: Number.NaN,
  infinities: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  'integers around limits': [
    0,
    1,
    -1,
    63,
    64,
    95,
    96,
    127,
    128,
    255,
    16383,
    16384,
    2 ** 30,
    -(2 ** 30),
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32,
    2 ** 53,
    -(2 ** 53),
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    0.1,
  ],
  bigints: [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 10n ** 400n, -(10n ** 400n)],
  'empty string': '',
  'strings around limits': [0, 1, 15, 16, 17, 30, 31, 32, 33, 127, 128, 5000].map((n) => 'x'.repeat(n)),
  'latin-1': 'grüße, señor',
  'latin-1 long': 'é'.repeat(1000),
  utf16: 'α → 中文 😀',
  'utf16 long': '中'.repeat(1000),
  'lone surrogates': ['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(100)}\ud83d`],
  'byte order mark': ['\ufeffx', '\ufeff中'],
  'zero characters': '\0a\0',
  boxed: [Object(1), Object(-0), Object('text'), Object(true), Object(false), Object(5n)],
  dates: [new Date(0), new Date(1.6e12), new Date(-1)],
  regexps: [/a/, /a\/b/giu, /(?<x>.)\n/dsy, /(?:)/],
  'nested maps': new Map<unknown, unknown>([
    [{ a: 1 }, new Map([[1, 2]])],
    ['k', new Set([1, 'x', null])],
    [Number.NaN, undefined],
  ]),
  'empty containers': [{}, [], new Map(), new Set()],
  'keys in order': { b: 1, 2: 2, a: 3, 1: 4, 'not an identifier': 5, '': 6, ключ: 7 },
  '__proto__ as own key': JSON.parse('{"__proto__": {"x": 1}, "y": 2}'),
  holes: [sparse(5, { 1: 'a', 3: undefined }), sparse(3, {}), sparse(300, { 299: 1 })],
  'named properties': Object.assign([1, 2, 3], { extra: true, '-1': 'no index', '01': 'neither' }),
  'named properties of a long array': Object.assign(
    Array.from({ length: 200 }, (_, i) => i),
    { extra: 1 },
  ),
  'result of a match': /(b)c/.exec('abc'),
  buffers: [new ArrayBuffer(0), Uint8Array.of(1, 2, 3).buffer],
  'typed arrays': [
    Uint8Array.of(1),
    Int8Array.of(-1),
    Uint8ClampedArray.of(255),
    Uint16Array.of(65535),
    Int16Array.of(-5),
    Uint32Array.of(2 ** 32 - 1),
    Int32Array.of(-7),
    Float32Array.of(0.5),
    Float64Array.of(Math.PI, -0, Number.NaN),
    BigInt64Array.of(-1n),
    BigUint64Array.of(2n ** 64n - 1n),
  ],
  'empty views': [new Uint8Array(0), new Float64Array(0), new DataView(new ArrayBuffer(0))],
  DataView: new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2),
};

describe('a value arrives as structured clone would make it', () => {
  for (const [name, value] of Object.entries(table)) {
    it(name, () => assert.deepStrictEqual(roundTrip(value), structuredClone(value)));
  }

  it('keeps the order of keys and holes, which deep equality does not see', () => {
    assert.deepEqual(Object.keys(roundTrip({ b: 1, 2: 2, a: 3 }) as object), ['2', 'b', 'a']);
    const array = roundTrip(sparse(5, { 1: 'a', 3: undefined })) as unknown[];
    assert.equal(array.length, 5);
    assert.deepEqual(Object.keys(array), ['1', '3']);
  });

  it('leaves out what is inherited, not enumerable or named by a symbol', () => {
    const value = Object.defineProperty({ a: 1, [Symbol('s')]: 2 }, 'hidden', { value: 3, enumerable: false });
    assert.deepStrictEqual(roundTrip(value), { a: 1 });
  });

  it('keeps an invalid date', () => {
    const copy = roundTrip(new Date(Number.NaN));
    assert.ok(copy instanceof Date && Number.isNaN(copy.getTime()));
  });

  it('reads getters once', () => {
    let reads = 0;
    const value = {
      get x() {
        return ++reads;
      },
    };
    assert.deepStrictEqual(roundTrip(value), { x: 1 });
    assert.equal(reads, 1);
  });

  it('survives getters that change the container under way', () => {
    const list: unknown[] = [
      {
        get x() {
          list.length = 1;
          return 1;
        },
      },
      2,
      3,
    ];
    assert.deepStrictEqual(roundTrip(list), structuredClone(sparse(3, { 0: { x: 1 } })));
    const map = new Map<unknown, unknown>();
    const growing = {
      get x() {
        map.set({}, growing);
        return 1;
      },
    };
    map.set(1, growing);
    assert.equal((roundTrip(map) as Map<unknown, unknown>).size, 1);
  });

  it('starts a regular expression from its beginning', () => {
    const value = /a/g;
    value.lastIndex = 3;
    assert.equal((roundTrip(value) as RegExp).lastIndex, 0);
  });

  it('sends arrays with enormous gaps by what is in them', () => {
    const array = sparse(2 ** 32 - 1, { 5: 'five', 4000000000: 'far' });
    const result = roundTrip(array) as unknown[];
    assert.equal(result.length, array.length);
    assert.deepEqual(Object.entries(result), Object.entries(array));
  });

  it('takes built-in objects of another realm', () => {
    const value = runInNewContext(
      '({ a: [1, new Map([[1, 2]])], s: new Set([1]), d: new Date(5), u: new Uint8Array([1, 2]), r: /x/g })',
    ) as object;
    assert.deepStrictEqual(roundTrip(value), {
      a: [1, new Map([[1, 2]])],
      s: new Set([1]),
      d: new Date(5),
      u: Uint8Array.of(1, 2),
      r: /x/g,
    });
  });

  it('keeps Float16Array where it exists', (t) => {
    const { Float16Array } = globalThis as { Float16Array?: { of(...items: number[]): ArrayLike<number> } };
    if (Float16Array === undefined) return t.skip('this Node has none');
    assert.deepStrictEqual(roundTrip(Float16Array.of(1.5, -2)), Float16Array.of(1.5, -2));
  });
});

describe('a value keeps what structured clone loses', () => {
  it('null prototypes', () => {
    const value = Object.assign(Object.create(null) as object, { a: 1 });
    assert.deepStrictEqual(roundTrip(value), value);
    assert.equal(Object.getPrototypeOf(roundTrip(value)), null);
  });

  it('URL and URLSearchParams', () => {
    const url = new URL('https://user@example.org:8080/a%20b?x=1#y');
    const result = roundTrip([url, new URLSearchParams('a=1&a=2&b=%26')]) as [URL, URLSearchParams];
    assert.ok(result[0] instanceof URL);
    assert.equal(result[0].href, url.href);
    assert.deepEqual(
      [...result[1]],
      [
        ['a', '1'],
        ['a', '2'],
        ['b', '&'],
      ],
    );
  });
});

describe('identity', () => {
  it('is kept for everything that can be shared', () => {
    const shared = [
      {},
      [],
      new Map(),
      new Set(),
      new Date(1),
      /x/,
      Object(1),
      new Error('e'),
      new URL('a:b'),
      new URLSearchParams(),
      new Uint8Array(4),
      new ArrayBuffer(4),
      Object.create(null),
      Object.assign([], { x: 1 }),
    ];
    const [first, second] = roundTrip([shared, [...shared].reverse()]) as [unknown[], unknown[]];
    second.reverse();
    for (const [i, object] of first.entries()) assert.equal(object, second[i], `item ${i}`);
    assert.equal(new Set(first).size, shared.length);
  });

  it('is kept through cycles of every container', () => {
    const object: Record<string, unknown> = {};
    const array: unknown[] = [object];
    const map = new Map<unknown, unknown>([[array, object]]);
    const set = new Set<unknown>([map]);
    const error = new Error('e', { cause: set });
    set.add(set);
    map.set(map, map);
    Object.assign(object, { object, array, map, set, error });
    const copy = roundTrip(object) as {
      object: unknown;
      array: unknown[];
      map: Map<unknown, unknown>;
      set: Set<unknown>;
      error: Error;
    };
    assert.equal(copy.object, copy);
    assert.equal(copy.array[0], copy);
    assert.equal(copy.map.get(copy.array), copy);
    assert.equal(copy.map.get(copy.map), copy.map);
    assert.ok(copy.set.has(copy.map) && copy.set.has(copy.set));
    assert.equal(copy.error.cause, copy.set);
  });

  it('is kept among very many objects, and forgotten afterwards', () => {
    const encoder = new Encoder({ isRef: () => false });
    const objects = Array.from({ length: 1000 }, (_, i) => ({ i }));
    const [a, b] = roundTrip([objects, objects.map((o) => ({ o }))]) as [object[], { o: object }[]];
    a.forEach((o, i) => {
      assert.equal(o, b[i]?.o);
    });
    const sizes = [1, 2].map(() => encoder.encode(objects, 'value', 0).length);
    assert.equal(sizes[0], sizes[1]);
  });
});

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
  maxDepth: 4,
  key: fc.oneof(fc.string(), fc.constant('__proto__')),
  values: [
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.string({ maxLength: 60 }),
    fc.bigInt(),
    fc.constantFrom(undefined, null, -0),
    fc.date({ noInvalidDate: true }),
  ],
});

describe('any value', () => {
  it('arrives as structured clone would make it', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(0, 2 ** 30), (value, limit) => {
        assert.deepStrictEqual(roundTrip(value, limit), structuredClone(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps a random graph', () => {
    const edges = fc.array(fc.tuple(fc.nat(19), fc.nat(19), fc.nat(2)), { maxLength: 60 });
    fc.assert(
      fc.property(edges, (list) => {
        const nodes = Array.from({ length: 20 }, (_, i) =>
          i % 3 === 0 ? { i } : i % 3 === 1 ? [i] : new Map<unknown, unknown>([['i', i]]),
        );
        for (const [from, to, n] of list) {
          const node = nodes[from];
          if (Array.isArray(node)) (node as unknown[]).push(nodes[to]);
          else if (node instanceof Map) node.set(n, nodes[to]);
          else Object.assign(node as object, { [`k${n}`]: nodes[to] });
        }
        assert.deepStrictEqual(roundTrip(nodes), structuredClone(nodes));
      }),
      { numRuns: 200 },
    );
  });
});
