import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Decoder, Encoder, emptySource } from './index.ts';
import { copyRange, roundTrip } from './round-trip.ts';

const plain = { isRef: () => false };
const all = 2 ** 30;

describe('binary data', () => {
  it('is embedded up to the limit and goes beside the body above it', () => {
    const encoder = new Encoder(plain);
    const value = { big: new Float64Array(1000), small: new Uint8Array(100) };
    const embedded = encoder.encode(value, 'value', 10_000);
    assert.equal(embedded.buffers.length, 0);
    assert.ok(embedded.length > 8100 && embedded.length <= 10_000);
    const beside = encoder.encode(value, 'value', 8000);
    assert.deepEqual(beside.buffers, [{ buffer: value.big.buffer, byteOffset: 0, byteLength: 8000 }]);
    assert.ok(beside.length < 300);
  });

  it('never exceeds the limit when all is embedded', () => {
    const encoder = new Encoder(plain);
    for (let n = 1024; n < 1200; n++) {
      const { buffers, length } = encoder.encode([new Uint8Array(n)], 'value', 1100);
      assert.ok(buffers.length === 1 || length <= 1100);
    }
  });

  it('of arguments is embedded for each by itself, up to a total', () => {
    const encoder = new Encoder(plain);
    const bytes = (n: number): Uint8Array => new Uint8Array(n).fill(n & 255);
    const beside = (args: unknown[], each: number, total: number): [number[], boolean] => {
      const { buffers, inline } = encoder.encodeArgs(args, undefined, each, total);
      return [buffers.map(({ byteLength }) => byteLength), inline];
    };
    assert.deepEqual(beside([bytes(1900), bytes(1800), bytes(1700)], 2000, 10_000), [[], true]);
    // One that is too large leaves the others alone, and its own small parts stay.
    assert.deepEqual(beside([bytes(1900), [bytes(1500), bytes(1400), bytes(9)], bytes(1700)], 2000, 10_000), [
      [1500, 1400],
      true,
    ]);
    // What finds no room any more; later ones may.
    assert.deepEqual(beside([bytes(1900), bytes(1800), bytes(1100)], 2000, 3300), [[1800], true]);
    // A buffer is counted where it is met first, with all that any view covers.
    const shared = bytes(3000);
    assert.deepEqual(beside([shared.subarray(0, 100), shared], 2000, 10_000), [[3000], true]);
    assert.deepEqual(beside([shared.subarray(0, 100), shared.subarray(50, 1500)], 2000, 10_000), [[], true]);
    // Text can't go beside the body, nor can many small buffers: then the body itself is too large.
    assert.deepEqual(beside(['x'.repeat(1500), 'y'.repeat(1500)], 2000, 10_000), [[], true]);
    assert.deepEqual(beside(['x'.repeat(2500), 1], 2000, 10_000), [[], false]);
    assert.deepEqual(beside(['x'.repeat(1500), 'y'.repeat(1500)], 2000, 2500), [[], false]);
    assert.deepEqual(beside([Array.from({ length: 5 }, () => bytes(1000))], 2000, 10_000), [[], false]);
    assert.deepEqual(beside([1], 2000, 10_000), [[], true], 'and nothing of that lasts');
  });

  it('of arguments arrives as it was, within the limits (property)', () => {
    const encoder = new Encoder(plain);
    const view = fc.record({ buffer: fc.nat(3), start: fc.nat(2000), length: fc.nat(2000) });
    const arg = fc.oneof(
      fc.integer(),
      fc.string({ maxLength: 3000 }),
      fc.array(view, { maxLength: 4 }),
      fc.array(fc.uint8Array({ maxLength: 2500 }), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(arg, { maxLength: 8 }),
        fc.integer({ min: 0, max: 6000 }),
        fc.nat(20_000),
        (raw, each, more) => {
          const memory = Array.from({ length: 4 }, () => new ArrayBuffer(4000));
          const args = raw.map((one) =>
            Array.isArray(one)
              ? one.map((x) =>
                  x instanceof Uint8Array ? x : new Uint8Array(memory[x.buffer]!, x.start, x.length).fill(x.start),
                )
              : one,
          );
          const total = each + more;
          const { bytes, length, buffers, inline } = encoder.encodeArgs(args, undefined, each, total);
          if (inline) assert.ok(length <= total);
          for (const { byteLength } of buffers) assert.ok(byteLength >= 1024);
          const got = new Decoder().decodeArgs(bytes, 0, length, { ...emptySource, buffers: buffers.map(copyRange) });
          assert.deepEqual(got, args);
          // Alone, an argument keeps to the limit for one.
          for (const one of args) {
            const alone = encoder.encodeArgs([one], undefined, each, total);
            if (alone.inline) assert.ok(alone.length <= each + 40, `${alone.length} of ${each}`);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('beside the body is used where it is, without a copy', () => {
    const value = { a: new Float64Array([1, 2, 3, ...new Array<number>(200).fill(4)]) };
    const { bytes, length, buffers } = new Encoder(plain).encode(value, 'value', 0);
    const sent = buffers.map(copyRange);
    const result = new Decoder().decode(bytes, 0, length, { ...emptySource, buffers: sent }) as typeof value;
    assert.deepStrictEqual(result, value);
    assert.equal(result.a.buffer, sent[0]);
  });

  it('embedded is copied out of the bytes into buffers of its exact length', () => {
    const { bytes, length } = new Encoder(plain).encode([Uint8Array.of(1, 2, 3)], 'value', all);
    const own = bytes.slice(0, length);
    const [view] = new Decoder().decode(own, 0, length, emptySource) as [Uint8Array];
    own.fill(0);
    assert.deepEqual([...view], [1, 2, 3]);
    assert.equal(view.buffer.byteLength, 3);
  });

  it('is only what the views of a buffer cover', () => {
    const buffer = new ArrayBuffer(100_000);
    const value = [new Uint8Array(buffer, 5001, 10), new Uint16Array(buffer, 7000, 500)];
    const { buffers } = new Encoder(plain).encode(value, 'value', 0);
    assert.deepEqual(buffers, [{ buffer, byteOffset: 5000, byteLength: 3000 }]);
  });

  it('never shows the neighbours of a pooled Buffer', () => {
    const secret = Buffer.from('secret');
    const shown = Buffer.from('shown');
    assert.equal(secret.buffer, shown.buffer);
    const { bytes, length } = new Encoder(plain).encode(shown, 'value', all);
    assert.ok(!Buffer.from(bytes.subarray(0, length)).includes('secret'));
    const copy = roundTrip(shown) as Uint8Array;
    assert.ok(!Buffer.isBuffer(copy));
    assert.deepEqual(copy, new Uint8Array(shown));
  });

  for (const limit of [0, all]) {
    it(`keeps views of one buffer together (limit ${limit})`, () => {
      const buffer = new ArrayBuffer(10_000);
      const value = {
        a: new Uint8Array(buffer, 3, 2000),
        b: new Float64Array(buffer, 16, 100),
        empty: new Int32Array(buffer, 9000, 0),
        view: new DataView(buffer, 7, 9),
      };
      value.b[0] = 42;
      const copy = roundTrip(value, limit) as typeof value;
      assert.deepStrictEqual(copy, value);
      assert.equal(copy.a.buffer, copy.b.buffer);
      assert.equal(copy.a.buffer, copy.empty.buffer);
      assert.equal(copy.a.buffer, copy.view.buffer);
      copy.b[0] = 43;
      assert.deepEqual([...copy.a.subarray(13, 21)], [...new Uint8Array(Float64Array.of(43).buffer)]);
      assert.ok(copy.a.buffer.byteLength <= 2003);
    });
  }

  it('keeps a buffer and its views together', () => {
    const buffer = new ArrayBuffer(3000);
    const copy = roundTrip([new Uint8Array(buffer, 10, 10), buffer], 0) as [Uint8Array, ArrayBuffer];
    assert.equal(copy[0].buffer, copy[1]);
    assert.equal(copy[1].byteLength, 3000);
    assert.equal(copy[0].byteOffset, 10);
  });

  it('of shared memory arrives as a copy', () => {
    const shared = new SharedArrayBuffer(16);
    new Uint8Array(shared)[3] = 7;
    const copy = roundTrip([shared, new Uint8Array(shared)]) as [ArrayBuffer, Uint8Array];
    assert.ok(copy[0] instanceof ArrayBuffer);
    assert.equal(copy[1].buffer, copy[0]);
    assert.equal(copy[1][3], 7);
  });

  it('is decoded from shared memory', () => {
    const value = ['x'.repeat(100), 'é中'.repeat(50), 'short', new Float64Array(5), 1.5, 10n ** 30n];
    const { bytes, length } = new Encoder(plain).encode(value, 'value', all);
    const shared = new Uint8Array(new SharedArrayBuffer(length + 20));
    shared.set(bytes.subarray(0, length), 13);
    assert.deepStrictEqual(new Decoder().decode(shared, 13, 13 + length, emptySource), value);
  });

  it('of very many buffers keeps them apart', () => {
    const value = Array.from({ length: 100 }, (_, i) => Uint8Array.of(i));
    const again = value.map((v) => new Uint8Array(v.buffer));
    const copy = roundTrip([value, again]) as [Uint8Array[], Uint8Array[]];
    assert.deepStrictEqual(copy, [value, again]);
    copy[0].forEach((v, i) => {
      assert.equal(v.buffer, copy[1][i]?.buffer);
    });
  });

  it('arrives from any set of views', () => {
    const size = fc.constantFrom(1, 2, 4, 8);
    const view = fc.record({ size, at: fc.nat(400), length: fc.nat(400), buffer: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(view, { maxLength: 8 }), fc.constantFrom(0, 2000, all), (views, limit) => {
        const buffers = [0, 1, 2].map((b) => Uint8Array.from({ length: 8000 }, (_, i) => i * (b + 3)).buffer);
        const types = { 1: Uint8Array, 2: Uint16Array, 4: Float32Array, 8: BigInt64Array } as const;
        const value = views.map(
          (v) => new types[v.size as 1](buffers[v.buffer] as ArrayBuffer, v.at * v.size, v.length),
        );
        const copy = roundTrip(value, limit) as Uint8Array[];
        assert.deepStrictEqual(copy, value);
        for (const [i, a] of value.entries()) {
          for (const [j, b] of value.entries())
            assert.equal(a.buffer === b.buffer, copy[i]?.buffer === copy[j]?.buffer);
        }
      }),
      { numRuns: 200 },
    );
  });
});
