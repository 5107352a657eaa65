import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, describe, it } from 'node:test';
import type { IGrammar } from 'vscode-textmate';
import { Source } from '../source.ts';
import { tokenize } from './lexer.ts';
import { KEYWORDS, type TokenKind } from './tokens.ts';

const require = createRequire(import.meta.url);
const root = new URL('../../../', import.meta.url);

/** What a token of each kind is for an editor; what is not here has no colour of its own. */
const SCOPES: Readonly<Partial<Record<TokenKind, RegExp>>> = {
  ...Object.fromEntries(KEYWORDS.map((word) => [word, /^keyword\.control/])),
  def: /^storage\.type\.function/,
  as: /^keyword\.operator\.cast/,
  true: /^constant\.language/,
  false: /^constant\.language/,
  'data type': /^support\.type/,
  'value type': /^support\.type/,
  name: /^(variable|entity\.name)\./,
  integer: /^constant\.numeric\.integer/,
  float: /^constant\.(numeric\.float|language)/,
  string: /^string\.quoted/,
  $: /^variable\.parameter\.script/,
  ...Object.fromEntries(['+', '-', '*', '/', '%', '^', '@'].map((each) => [each, /^keyword\.operator\.arithmetic/])),
  ...Object.fromEntries(['==', '!=', '<', '<=', '>', '>='].map((each) => [each, /^keyword\.operator\.comparison/])),
  '&&': /^keyword\.operator\.logical/,
  '||': /^keyword\.operator\.logical/,
  '=': /^keyword\.operator\.assignment/,
  '?': /^keyword\.operator\.conditional/,
  '->': /^keyword\.operator\.returns/,
  '::': /^keyword\.operator\.kernel/,
};

/** The editor's grammar, beside the lexer that reads scripts: each token has to begin a part of the kind that goes with it. */
describe('the TextMate grammar', () => {
  let grammar: IGrammar;

  before(async () => {
    // Both are CommonJS.
    const { Registry, INITIAL, parseRawGrammar } = require('vscode-textmate') as typeof import('vscode-textmate');
    const { loadWASM, OnigScanner, OnigString } = require('vscode-oniguruma') as typeof import('vscode-oniguruma');
    assert.ok(INITIAL);
    const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
    await loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length) as ArrayBuffer);
    const path = new URL('editors/daphne.tmLanguage.json', root);
    const registry = new Registry({
      onigLib: Promise.resolve({
        createOnigScanner: (patterns: string[]) => new OnigScanner(patterns),
        createOnigString: (text: string) => new OnigString(text),
      }),
      loadGrammar: async () => parseRawGrammar(readFileSync(path, 'utf8'), 'daphne.tmLanguage.json'),
    });
    grammar = (await registry.loadGrammar('source.daphne')) as IGrammar;
    assert.ok(grammar);
  });

  /** The innermost scope at each place of a text. */
  function scopesOf(text: string): (offset: number) => string {
    const scopes: string[] = [];
    let stack: Parameters<IGrammar['tokenizeLine']>[1] = null;
    let start = 0;
    for (const line of text.split('\n')) {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
      for (const token of tokens) {
        for (let i = token.startIndex; i < token.endIndex; i++) scopes[start + i] = token.scopes.at(-1) as string;
      }
      stack = ruleStack;
      start += line.length + 1;
    }
    return (offset) => scopes[offset] ?? '';
  }

  function check(name: string, text: string): void {
    const scopeAt = scopesOf(text);
    const { kinds, starts, ends } = tokenize(new Source(name, text));
    for (const [i, kind] of kinds.entries()) {
      // The name of an argument belongs to its `$`.
      const expected = kinds[i - 1] === '$' ? SCOPES.$ : SCOPES[kind];
      const start = starts[i]!;
      if (expected !== undefined)
        assert.match(scopeAt(start), expected, `${name}: \`${text.slice(start, ends[i])}\` at ${start}`);
    }
  }

  it('tells apart what the lexer tells apart, in all example scripts', () => {
    const folder = new URL('examples/daphne/', root);
    const names = readdirSync(folder).filter((name) => name.endsWith('.daphne'));
    assert.ok(names.length > 0);
    for (const name of names) check(name, readFileSync(new URL(name, folder), 'utf8'));
  });

  it('knows every token', () => {
    check(
      'tokens',
      `def f(a: si64, M: matrix<f64>) -> str { return "a\\n" + a; } // end
       x = [1, 2'000, 3u, 4ull, 5z, 6l](2, 3) @ y[[r, c]]; /* b */ z = 1.5f * 1e-3 - .inff;
       if (a.b.g::k(x) >= 2 && true || nan != inf) { do x = x ^ 2 % 3; while (x < $k); } else for (i in 1:3:1) print(as.matrix<si8>(x) ? 1 : 0);
       import "a.daphne" as "b"; y = as.f64(x) +::k 1;`.replace('.inff', 'inff'),
    );
  });
});
