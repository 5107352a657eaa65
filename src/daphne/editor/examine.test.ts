import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { examine } from './examine.ts';

describe('what an editor shows', () => {
  it('types with shapes, of the smallest expression at a place', () => {
    const text = 'X = fill(1.5, 2, 3);\ny = t(X) @ X;\nprint(nrow(y));\n';
    const { problems, at } = examine('a.daphne', text);
    assert.deepEqual(problems, []);
    assert.equal(at(text.indexOf('X)'))?.text, 'X: matrix<f64> 2x3');
    assert.equal(at(text.indexOf('y)'))?.text, 'y: matrix<f64> 3x3');
    assert.equal(at(text.indexOf('@'))?.text, 't(X) @ X: matrix<f64> 3x3');
    assert.equal(at(text.indexOf('1.5'))?.text, '1.5: f64');
    assert.equal(at(text.indexOf('nrow'))?.text, 'nrow(y): size');
    assert.equal(at(text.length), undefined);
  });

  it('types of names where they get their values: variables, of loops as well, and parameters', () => {
    const text =
      'def f(a) { return a + 1; }\nX = fill(1.5, 2, 3);\nX[0, ] = X[1, ];\nn = 0;\nfor (i in 1:3) n = f(i);\nprint(n);\n';
    const { problems, at } = examine('a.daphne', text);
    assert.deepEqual(problems, []);
    assert.equal(at(text.indexOf('X ='))?.text, 'X: matrix<f64> 2x3');
    assert.equal(at(text.indexOf('X[0'))?.text, 'X: matrix<f64> 2x3');
    assert.equal(at(text.indexOf('i in'))?.text, 'i: si64');
    assert.equal(at(text.indexOf('n = f'))?.text, 'n: si64');
    assert.equal(at(text.indexOf('a)'))?.text, 'a: si64');
  });

  it('definitions of variables and functions', () => {
    const text = 'def f(a) {\n  return a + 1;\n}\nx = 2;\nprint(f(x));\n';
    const { definitionOf, problems } = examine('a.daphne', text);
    assert.deepEqual(problems, []);
    const lineOf = (offset: number) => definitionOf(offset)?.from.line;
    assert.equal(lineOf(text.indexOf('x)')), 4);
    assert.equal(lineOf(text.indexOf('f(x')), 1);
    assert.equal(lineOf(text.indexOf('a + 1')), 1);
  });

  it('what is wrong, with its place', () => {
    for (const [text, start, message] of [
      ['x = 1;\nprint(y);', 13, /`?y`?/],
      ['x = (1 + ;', 9, /expected/],
      ['print([1, 2][5, ]);', 13, /no row 5/],
    ] as const) {
      const [problem, more] = examine('a.daphne', text).problems;
      assert.equal(more, undefined);
      assert.equal(problem?.start, start, `${text}: ${JSON.stringify(problem)}`);
      assert.match(problem.message, message);
      assert.doesNotMatch(problem.message, /a\.daphne:|\n/);
    }
  });

  it('all that is wrong, and nothing that follows from it', () => {
    const text = `# two; {mistakes}
x = y + 1;
print(x + "{;" + x);
def f(a) {
  b = a @ 1;
  return b;
}
if (true) {
  q = [1, 2][7, ];
  print(q);
}
w = (1 + ;
print(w);
v = 5;
print(f(2));
print(v + nowhere);
`;
    const { problems, at } = examine('a.daphne', text);
    const starts = ['y + 1', 'a @ 1', '7, ]', ';\nprint(w)', 'nowhere'].map((each) => text.indexOf(each));
    assert.deepEqual(
      problems.map(({ start }) => start),
      starts,
      JSON.stringify(problems),
    );
    assert.equal(at(text.indexOf('v + nowhere'))?.text, 'v: si64');
    // There is an end to it.
    assert.equal(examine('a.daphne', 'print(y);\n'.repeat(100)).problems.length, 20);
    assert.equal(examine('a.daphne', '}{'.repeat(1000)).problems.length, 1);
  });

  it('nothing wrong about arguments, which an editor does not know', () => {
    for (const text of [
      'X = readMatrix($path);',
      'print(fill($value, $rows, 2));',
      'print($a + "x"); y = $b * 2.0; z = [1][$c, ];',
    ])
      assert.deepEqual(examine('a.daphne', text).problems, [], text);
  });
});
