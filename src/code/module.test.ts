import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../base/index.ts';
import { file } from './fixture.ts';
import { loadFunction } from './load.ts';
import { describeExport, describeModule } from './module.ts';

test('exports and their kinds are read without running the module', () => {
  const other = file('export function* more() {} export const x = 1; export default class {}', 'other.ts');
  const { url } = file(
    `import Other, { more } from './other.ts';
     throw new Error('it ran');
     export function f(x: number): number { return x; }
     export async function a() {} export async function* ag() {} export const g = function* () {};
     export class C<T> { x?: T } export const value: number = 1, arrow = (x: number) => x; export type T = string; export interface I {}
     const inner = async () => 1; export { inner as renamed, more, Other }; export * from './other.ts'; export * as ns from './other.ts';
     export default function () {}
     export const lowered = () => __asyncGenerator(this, arguments, function* () {});
     declare const __asyncGenerator: (...a: unknown[]) => unknown;`,
    'exports.ts',
  );
  assert.ok(other);
  const module = describeModule(url);
  assert.equal(module.url, url);
  assert.deepEqual(
    { ...module.exports },
    {
      f: 'function',
      a: 'async',
      ag: 'asyncGenerator',
      g: 'generator',
      C: 'class',
      value: 'other',
      arrow: 'function',
      renamed: 'async',
      more: 'generator',
      Other: 'class',
      x: 'other',
      ns: 'other',
      default: 'function',
      lowered: 'asyncGenerator',
    },
  );
});

test('exports of CommonJS are read too', () => {
  const { url } = file(
    'exports.f = async () => 1; module.exports.g = function* () {}; exports.__esModule = true;',
    'exports.cjs',
  );
  assert.deepEqual({ ...describeModule(url).exports }, { f: 'async', g: 'generator' });
  const { url: object } = file('function f() {} module.exports = { f, v: 1 };', 'object.cjs');
  assert.deepEqual({ ...describeModule(object).exports }, { f: 'function', v: 'other' });
});

test('a missing .ts is its compiled .js', () => {
  const { url } = file('export const f = () => 1;', 'compiled.js');
  assert.equal(describeModule(url.replace('.js', '.ts')).url, url);
  assert.equal(describeModule(new URL(url)).url, url);
});

test('a module that is nowhere is an error with a code', () => {
  assert.throws(
    () => describeModule('file:///nowhere/x.ts'),
    (e) => e instanceof UsageError && e.code === 'ERR_SHEAF_MODULE_NOT_FOUND' && /\/nowhere\/x\.ts/.test(e.message),
  );
  assert.throws(() => describeModule('lodash'), /takes the URL of a file, not "lodash"/);
});

test('a module that can not be read says where', () => {
  const { url } = file('const a = 1;\nenum Colour { red }\nexport const f = () => 1;', 'enum.ts');
  assert.throws(() => describeModule(url), /enum\.ts:2:1 has an enum, which is more than a type/);
});

test('an export is loaded by importing the module', async () => {
  const { url } = file('let n = 0; export const next = () => ++n; export const v = 1;');
  const module = describeModule(url);
  const next = await loadFunction(describeExport(module, 'next'));
  assert.equal(next(), 1);
  assert.throws(() => describeExport(module, 'other'), /has no export "other"; it has next, v/);
  await assert.rejects(loadFunction(describeExport(module, 'v')), /"v" of .* is not a function/);
});

test('what every object inherits is no export', () => {
  const module = describeModule(file('export const f = () => 1;').url);
  for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    assert.equal(name in module.exports, false);
    assert.throws(() => describeExport(module, name), new RegExp(`has no export "${name}"; it has f`));
  }
  const own = describeModule(file('export const toString = () => 1; export function constructor() {}').url);
  assert.equal(describeExport(own, 'toString').kind, 'function');
  assert.equal(describeExport(own, 'constructor').name, 'constructor');
});

test('what is there and no module says what it is', () => {
  const refused = (url: string, words: RegExp): void =>
    assert.throws(
      () => describeModule(url),
      (error) => error instanceof UsageError && words.test(error.message),
    );
  const json = file('{ "a": 1 }', 'data.json').url;
  refused(json, /data\.json can't be read as a module of JavaScript or TypeScript.*1:/);
  refused(new URL('.', json).href, /is a folder, and remote\(\) takes a module/);
  refused(file('export const = 1;', 'broken.js').url, /broken\.js can't be read.*\(1:13\)/);
  refused(file('export const = 1;', 'broken.ts').url, /broken\.ts:1:\d+ can't be read as TypeScript/);
  for (const wrong of [5, null, undefined, {}, Symbol('x')]) {
    assert.throws(() => describeModule(wrong as unknown as string), /takes the URL of a file, not/);
  }
});
