import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../base/index.ts';
import { stripTypes } from './strip.ts';

test('types become spaces: every token keeps its place', () => {
  const source = `import type { A } from './a.ts';
const f = async <T,>(a: number, ...r: Array<T>): Promise<T | undefined> => r[a] as T; // é 漢
class K<T> { #a: number = 1; declare z: string; private y?: T; static s?(): void; }
export const g = f satisfies unknown;\n`;
  const stripped = stripTypes(source, 'file:///x.ts');
  assert.equal(stripped.length, source.length);
  for (const token of ['const f', '=> r[a]', '#a', '= 1', 'export const g']) {
    assert.equal(stripped.indexOf(token), source.indexOf(token), token);
  }
  assert.ok(!/Promise|import|declare|satisfies/.test(stripped));
});

for (const [text, what] of [
  ['enum E { A }', /x\.ts:2:1 has an enum, which is more than a type.*constant object/s],
  ['const enum E { A }', /has an enum/],
  ['class A { constructor(public x: number) {} }', /x\.ts:2:\d+ has a parameter property.*Declare the field/s],
  ['namespace N { export const x = 1; }', /x\.ts:2:1 has a namespace with values/],
  ['import x = require("x");', /has `import x = require/],
  ['const y = <string>x;', /x\.ts:2:11 has a type assertion in angle brackets.*value as Type/s],
  ['const y = ;', /x\.ts:2:11 can't be read as TypeScript/],
] as const) {
  test(`${text} is refused with a reason`, () => {
    assert.throws(
      () => stripTypes(`\n${text}\n`, 'file:///x.ts'),
      (e) => e instanceof UsageError && what.test(e.message) && /erasableSyntaxOnly|can't be read/.test(e.message),
    );
  });
}
