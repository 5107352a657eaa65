import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATOMIC_WRITE, Lines, MOST_HELD } from './lines.rules.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (pieces: readonly Uint8Array[]): string => pieces.map((piece) => new TextDecoder().decode(piece)).join('');
const [a, b] = [{}, {}];

test('each line has the prefix, and unfinished ones wait for their end', () => {
  const lines = new Lines();
  assert.equal(text(lines.write(a, '[a] ', utf8('one\n\ntwo\nthr'))), '[a] one\n[a] \n[a] two\n');
  assert.equal(lines.holding, true);
  assert.equal(text(lines.write(b, '[b] ', utf8('of another\n'))), '[b] of another\n');
  assert.equal(text(lines.write(a, '[a] ', utf8('e'))), '');
  assert.equal(text(lines.write(a, '[a] ', utf8('e!\nfour'))), '[a] three!\n');
  assert.equal(text(lines.end(b)), '');
  assert.equal(text(lines.end(a)), '[a] four\n');
  assert.equal(lines.holding, false);
});

test('nothing is lost whatever the pieces, and every line is whole', () => {
  const whole = Array.from({ length: 300 }, (_, i) => `line ${i} ${'ü'.repeat(i % 50)}\n`).join('');
  const bytes = utf8(whole);
  for (const step of [1, 7, 100, 5000, bytes.length]) {
    const lines = new Lines();
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += step) pieces.push(...lines.write(a, '', bytes.subarray(at, at + step)));
    assert.equal(text(pieces), whole);
    for (const piece of pieces) {
      assert.ok(piece.length <= ATOMIC_WRITE);
      assert.equal(piece.at(-1), 0x0a);
    }
  }
});

test('bytes that are no text go through, and the buffer may be used again', () => {
  const lines = new Lines();
  const bytes = Uint8Array.of(0xff, 0x00);
  assert.deepEqual(lines.write(a, '', bytes), []);
  bytes.fill(1);
  assert.deepEqual(lines.write(a, '', Uint8Array.of(0xfe, 0x0a)), [Uint8Array.of(0xff, 0x00, 0xfe, 0x0a)]);
});

test('a line above what is written undivided is a piece by itself', () => {
  const lines = new Lines();
  const long = `${'x'.repeat(3 * ATOMIC_WRITE)}\n`;
  const pieces = lines.write(a, '', utf8(`short\n${long}short\n`));
  assert.deepEqual(
    pieces.map((piece) => piece.length),
    [6, long.length, 6],
  );
});

test('what never ends is not kept for ever', () => {
  const lines = new Lines();
  const piece = new Uint8Array(MOST_HELD / 4).fill(0x2e);
  const written = Array.from({ length: 5 }, () => lines.write(a, '[a] ', piece)).flat();
  assert.equal(written.length, 1);
  assert.equal(written[0]!.length, 4 + 5 * piece.length + 1);
  lines.write(a, '[a] ', utf8('x'));
  lines.write(b, '[b] ', utf8('y'));
  assert.equal(text(lines.endAll()), '[a] x\n[b] y\n');
});
