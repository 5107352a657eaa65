import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CodecError } from '../base/index.ts';
import { Decoder, Encoder, emptySource } from './index.ts';

const decoder = new Decoder();
const sample: unknown = {
  list: [1, -300, 2.5, 'x'.repeat(50), 'é中', '\ud800', 12n, 10n ** 40n, undefined, null, true],
  map: new Map<unknown, unknown>([
    ['a', new Set([1])],
    [new Date(5), /x/g],
  ]),
  holes: Object.assign([1, 2], { extra: 1, 9: 3 }),
  boxed: Object(1),
  error: Object.assign(new TypeError('t', { cause: new Error('c') }), { code: 'X', stack: 's' }),
  url: new URL('http://x.org/'),
  params: new URLSearchParams('a=1'),
  binary: [new Uint8Array(20), new Float64Array([1, 2]), new DataView(new ArrayBuffer(3)), new ArrayBuffer(5)],
};
(sample as { self: unknown }).self = sample;

function body(value: unknown): Uint8Array {
  const { bytes, length } = new Encoder({ isRef: () => false }).encode(value, 'value', 2 ** 30);
  return bytes.slice(0, length);
}

/** Decodes; a CodecError is the only error allowed. */
function tryDecode(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes, 0, bytes.length, emptySource);
    return true;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return false;
  }
}

describe('damaged bytes are a CodecError', () => {
  it('when cut off anywhere', () => {
    const bytes = body(sample);
    for (let n = 0; n < bytes.length; n++) assert.ok(!tryDecode(bytes.slice(0, n)), `cut at ${n}`);
    assert.ok(tryDecode(bytes));
  });

  it('when a longer buffer holds them, as when not', () => {
    const bytes = body([1, 'text', { a: 2.5 }]);
    for (let n = 1; n < bytes.length; n++) assert.throws(() => decoder.decode(bytes, 0, n, emptySource), CodecError);
  });

  it('when something follows', () => assert.ok(!tryDecode(Uint8Array.of(...body([1]), 0))));

  it('when of another version', () => {
    const bytes = body([1]);
    bytes[0] = 2;
    assert.throws(() => decoder.decode(bytes, 0, bytes.length, emptySource), /format version is 2/);
  });

  it('when any single byte changes, unless it still means something', () => {
    const bytes = body(sample);
    for (let i = 0; i < bytes.length; i++) {
      for (const change of [1, 0x10, 0x80, 0xff]) {
        const damaged = bytes.slice();
        damaged[i] = (damaged[i] as number) ^ change;
        tryDecode(damaged);
      }
    }
  });

  it('when random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x01, 0x11, 0x21, 0x31), (random, head) => {
        tryDecode(Uint8Array.of(head, ...random));
        tryDecode(random);
      }),
      { numRuns: 3000 },
    );
  });

  it('when several bytes of an argument list change', () => {
    const { bytes, length } = new Encoder({ isRef: () => false }).encodeArgs([sample, 1, 'x'], undefined, 2 ** 30);
    const good = bytes.slice(0, length);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), (changes) => {
        const damaged = good.slice();
        for (const [i, b] of changes) damaged[i] = b;
        try {
          decoder.decodeArgs(damaged, 0, damaged.length, emptySource);
        } catch (error) {
          if (!(error instanceof CodecError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('when nested too deeply', () => {
    assert.ok(!tryDecode(Uint8Array.of(1, ...new Array<number>(50_000).fill(0x41))));
  });

  it('without reserving memory for lengths that lie', () => {
    const before = process.memoryUsage();
    const results: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      // An array of 30 million items that is one hole.
      const bytes = Uint8Array.of(0x01, 0x10, 0x80, 0x87, 0xa7, 0x0e, 0x11, 0x80, 0x87, 0xa7, 0x0e);
      results.push(decoder.decode(bytes, 0, bytes.length, emptySource));
      assert.ok(!tryDecode(Uint8Array.of(0x01, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xa1)));
      assert.ok(!tryDecode(Uint8Array.of(0x01, 0x08, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x61)));
    }
    const after = process.memoryUsage();
    assert.equal((results[0] as unknown[]).length, 30_000_000 - (30_000_000 % 128));
    assert.ok(after.rss - before.rss < 200 * 2 ** 20);
  });
});
