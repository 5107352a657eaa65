import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CodecError, UsageError } from '../base/index.ts';
import { Decoder, Encoder, emptySource, registerCodec } from './index.ts';
import { roundTrip } from './round-trip.ts';

class Ref {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
}
const options = { isRef: (value: object) => value instanceof Ref };

describe('references', () => {
  it('are listed once each in order of first meeting, and taken from the list', () => {
    const [a, b] = [new Ref(1), new Ref(2)];
    const { bytes, length, refs } = new Encoder(options).encode({ x: [b, a], y: new Map([[a, b]]) }, 'value', 0);
    assert.deepEqual(refs, [b, a]);
    const there = [{ there: 2 }, { there: 1 }];
    const result = new Decoder().decode(bytes, 0, length, { ...emptySource, refs: there }) as {
      x: unknown[];
      y: Map<unknown, unknown>;
    };
    assert.equal(result.x[0], there[0]);
    assert.equal(result.x[1], there[1]);
    assert.equal(result.y.get(there[1]), there[0]);
  });

  it('of one value are not those of the next', () => {
    const encoder = new Encoder(options);
    const many = Array.from({ length: 50 }, (_, i) => new Ref(i));
    assert.equal(encoder.encode([many, many], 'value', 0).refs.length, 50);
    assert.deepEqual(encoder.encode(many[3], 'value', 0).refs, [many[3]]);
    assert.equal(encoder.encode(1, 'value', 0).refs.length, 0);
  });

  it('that are missing are damage', () => {
    const { bytes, length } = new Encoder(options).encode([new Ref(1)], 'value', 0);
    assert.throws(() => new Decoder().decode(bytes, 0, length, emptySource), CodecError);
  });
});

describe('an argument list', () => {
  it('has placeholders filled in at the top level, and only there', () => {
    const ref = new Ref(1);
    const slots = new Map<object, number>([[ref, 1]]);
    const { bytes, length, refs } = new Encoder(options).encodeArgs(
      [1, ref, [ref], undefined, { a: -0 }],
      (arg) => slots.get(arg) ?? -1,
      0,
    );
    assert.deepEqual(refs, [ref]);
    const args = new Decoder().decodeArgs(bytes, 0, length, { ...emptySource, deps: ['zero', 'one'], refs: ['ref'] });
    assert.deepStrictEqual(args, [1, 'one', ['ref'], undefined, { a: -0 }]);
    assert.throws(() => new Decoder().decodeArgs(bytes, 0, length, { ...emptySource, refs: ['ref'] }), CodecError);
  });

  it('asks for each place by itself: one object can be a placeholder here and go along there', () => {
    const ref = new Ref(1);
    const { bytes, length, refs } = new Encoder(options).encodeArgs(
      [ref, ref],
      (_, place) => (place === 1 ? 0 : -1),
      0,
    );
    assert.deepEqual(refs, [ref]);
    const args = new Decoder().decodeArgs(bytes, 0, length, { ...emptySource, deps: ['value'], refs: ['ref'] });
    assert.deepEqual(args, ['ref', 'value']);
  });

  it('keeps identity among arguments', () => {
    const shared = {};
    const { bytes, length } = new Encoder(options).encodeArgs([shared, [shared]], undefined, 0);
    const [a, b] = new Decoder().decodeArgs(bytes, 0, length, emptySource) as [object, object[]];
    assert.equal(a, b[0]);
    assert.deepEqual(
      new Decoder().decodeArgs(new Encoder(options).encodeArgs([], undefined, 0).bytes, 0, 2, emptySource),
      [],
    );
  });
});

class Point {
  readonly x: number;
  readonly y: unknown;
  constructor(x: number, y: unknown) {
    this.x = x;
    this.y = y;
  }
}
registerCodec(Point, {
  id: 'test.Point',
  encode: (p): [number, unknown] => [p.x, p.y],
  decode: ([x, y]) => new Point(x, y),
});

describe('a registered class', () => {
  it('travels by its codec, inside anything and with identity', () => {
    const point = new Point(1, { list: [new Point(2, null)] });
    const copy = roundTrip({ a: point, b: new Map([[point, [point]]]) }) as { a: Point; b: Map<Point, Point[]> };
    assert.deepStrictEqual(copy.a, point);
    assert.ok(copy.a instanceof Point);
    assert.equal(copy.b.get(copy.a)?.[0], copy.a);
  });

  it('may have references and buffers in its wire form', () => {
    const ref = new Ref(3);
    const { bytes, length, refs } = new Encoder(options).encode(
      new Point(1, [ref, new Uint8Array(3)]),
      'value',
      99_999,
    );
    assert.deepEqual(refs, [ref]);
    const copy = new Decoder().decode(bytes, 0, length, { ...emptySource, refs: ['there'] });
    assert.deepStrictEqual(copy, new Point(1, ['there', new Uint8Array(3)]));
  });

  it('does not mean its subclasses', () => {
    class Point3 extends Point {}
    assert.throws(() => roundTrip(new Point3(1, 2)), /^CodecError: value is an instance of class Point3/);
  });

  it('shows the path into its wire form', () => {
    assert.throws(() => roundTrip({ p: new Point(1, () => 1) }), /^CodecError: value\.p\.encode\(\)\[1\]: function/);
  });

  it('that contains itself is refused', () => {
    const box: { p?: Point } = {};
    const point = new Point(1, box);
    box.p = point;
    assert.throws(() => roundTrip(point), /^CodecError: value\.encode\(\)\[1\]\.p: an object that its own codec/);
  });

  it('has the errors of its codec as causes', () => {
    class Bad {}
    const cause = new Error('no');
    registerCodec(Bad, {
      id: 'test.Bad',
      encode: (): number => {
        throw cause;
      },
      decode: () => new Bad(),
    });
    assert.throws(
      () => roundTrip([new Bad()]),
      (e: CodecError) => /^value\[0\]\.encode\(\): .*Error: no/.test(e.message) && e.cause === cause,
    );
    registerCodec(Bad, {
      id: 'test.Bad',
      encode: () => 1,
      decode: (): Bad => {
        throw cause;
      },
    });
    assert.throws(
      () => roundTrip([new Bad()]),
      (e: CodecError) => /decode\(\) of the codec 'test\.Bad' failed/.test(e.message) && e.cause === cause,
    );
  });

  it('may use the encoder and the decoder while they work', () => {
    const encoder = new Encoder(options);
    const decoder = new Decoder();
    class Nested {
      value: unknown;
    }
    registerCodec(Nested, {
      id: 'test.Nested',
      encode: (n): Uint8Array => {
        const { bytes, length } = encoder.encode(n.value, 'nested', 9999);
        return bytes.slice(0, length);
      },
      decode: (wire) => Object.assign(new Nested(), { value: decoder.decode(wire, 0, wire.length, emptySource) }),
    });
    const value = [1, Object.assign(new Nested(), { value: { a: [2] } }), 'after'];
    const { bytes, length } = encoder.encode(value, 'value', 9999);
    assert.deepStrictEqual(decoder.decode(bytes, 0, length, emptySource), value);
  });

  it('refuses a value by a CodecError, which gets the path to it', () => {
    class Picky {}
    registerCodec(Picky, {
      id: 'test.Picky',
      encode: (): number => {
        throw new CodecError('not this one; take another');
      },
      decode: () => new Picky(),
    });
    assert.throws(() => roundTrip({ a: [new Picky()] }), /^CodecError: value\.a\[0\]: not this one; take another$/);
  });

  it('may be one whose instances are functions', () => {
    class Adder extends Function {
      declare n: number;
    }
    const adder = (n: number): Adder & ((x: number) => number) =>
      Object.setPrototypeOf(
        Object.assign((x: number) => x + n, { n }),
        Adder.prototype,
      );
    registerCodec(Adder, { id: 'test.Adder', encode: (f): number => f.n, decode: (n) => adder(n) });
    const f = adder(3);
    const copy = roundTrip({ f, again: [f] }) as { f: typeof f; again: (typeof f)[] };
    assert.equal(copy.f(4), 7);
    assert.equal(copy.again[0], copy.f);
    assert.throws(() => roundTrip(Object.setPrototypeOf(() => 1, null)), /^CodecError: value: function/);
  });

  it('has both functions', () => {
    class Half {}
    const half = { id: 'test.Half', encode: () => 1 } as unknown as Parameters<typeof registerCodec<Half, number>>[1];
    assert.throws(() => registerCodec(Half, half), /UsageError: registerCodec\(Half\): `decode` is undefined; give/);
    assert.throws(() => roundTrip(new Half()), /no codec/);
  });

  it('needs an id of its own, and is no built-in', () => {
    class Other {}
    const codec = { encode: () => 1, decode: () => new Other() };
    assert.throws(() => registerCodec(Other, { id: 'test.Point', ...codec }), UsageError);
    assert.throws(() => registerCodec(Other, { id: '', ...codec }), UsageError);
    assert.throws(() => registerCodec(Map, { id: 'map', encode: () => 1, decode: () => new Map() }), UsageError);
  });

  it('may be an error class', () => {
    class Custom extends Error {
      extra = 1;
    }
    registerCodec(Custom, { id: 'test.Custom', encode: (e): string => e.message, decode: (m) => new Custom(m) });
    const copy = roundTrip(new Custom('m'));
    assert.ok(copy instanceof Custom);
  });
});
