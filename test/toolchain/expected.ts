import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** What program.ts prints wherever it runs; `thrower` is the place of its `throw`, checked apart. */
const expected: Readonly<Record<string, unknown>> = {
  worker: true,
  square: 49,
  plain: 3,
  withConstants: 19,
  imports: 'y.txt a/b .txt Y.TXT!',
  defaults: 10,
  named: 120,
  mutual: 'odd',
  classes: 6,
  asynchronous: 'nreassigned32',
  generator: [0, 10, 20],
  asyncGenerator: [2, 4, 6],
  nested: 13,
  imported: 8,
  importedDefault: 12,
  builtin: 5,
  meta: [true, 'function'],
  method: 11,
  arrow: -9,
  branches: 'ac1SyntaxError115',
  dynamic: 1,
  using: 'true,b,a',
  Counter: 11,
  captured: 31,
  chain: [25, 17],
  shared: 800_000,
  end: { pending: 0, failed: 1 },
};

function results(output: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const match of output.matchAll(/^(\w+) (.+)$/gm)) {
    const name = match[1] as string;
    if (!(name in expected || name === 'thrower')) continue;
    // Workers write to the program's own output: the main part has run once, and nowhere else.
    assert.ok(!(name in found), `${name} is there twice: ${output}`);
    found[name] = JSON.parse(match[2] as string);
  }
  return found;
}

/** The line of a file that throws, as the stack of the task must name it. */
function throwingLine(file: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((l) => /new Error\(["'`]boom/.test(l)) + 1
  );
}

/** That a run of program.ts, the file `file` as loaded, has printed what it should. */
export function check(output: string, file: string): void {
  const { thrower, ...found } = results(output);
  assert.deepEqual(found, expected, output);
  const [message, place] = thrower as [string, string];
  assert.equal(message, 'boom');
  assert.equal(place.split(':')[1], String(throwingLine(file)), `line of the error: ${place}`);
}
