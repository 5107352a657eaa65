import { type Cases, fails, prints, withFiles } from './case.ts';

export const STATEMENTS: Cases = {
  assignments: [
    prints('a = 1; a = "x"; print(a);', 'x\n'),
    prints('v, w = eigen([2.0, 0.0, 0.0, 3.0](2, 2)); print(sum(v));', '5\n'),
    // What may fail is computed, though nobody wants it.
    prints('y = aggMin([4]); x = y / 2; y / 2; z = sqrt(y); print(1);', '1\n'),
    fails('y = aggMin([0]); x = 1 / y; print(1);', 3, /divided by zero/),
    fails('a, b = 1;', 1),
    fails('v = eigen([1.0]);', 1),
    fails('a = print(1);', 1),
    fails('print(undefined);', 1, /undefined/),
  ],
  'blocks are scopes': [
    prints('a = 1; { a = 2; b = 3; print(b); } print(a);', '3\n2\n'),
    fails('{ b = 3; } print(b);', 1),
    prints('{ print(1); };', '1\n'),
    fails('if (true) b = 1; else b = 2; print(b);', 1),
  ],
  if: [
    prints('if (1 < 2) print("yes"); else print("no");', 'yes\n'),
    prints('x = 3; if (x == 1) print(1); else if (x == 3) print(3); else print(0);', '3\n'),
    // What a way changes, those behind it do not see: x is si64 in all conditions.
    prints(
      `x = 1950; ${'if (x / 2 == 1) x = 0.5; else '.repeat(1999)}if (x / 2 == 975) x = x + 1; print(x);`,
      '1951\n',
    ),
    prints(
      `def f(n) { ${Array.from({ length: 130 }, (_, i) => `if (n == ${i}) return ${i} * 2; else `).join('')}return -1; } print(f(0)); print(f(64)); print(f(129)); print(f(130));`,
      '0\n128\n258\n-1\n',
    ),
    prints('if (2) print("two"); if (0.0) print("none"); if ([1]) print("one");', 'two\none\n'),
    prints('x = [1]; if (true) { x = [1, 2, 3]; } print(nrow(x));', '3\n'),
    fails('x = 1; if (true) x = [1]; print(x);', 1),
    prints('x = 1; if (true) x = [1]; else x = [2]; print(as.scalar(x));', '1\n'),
    // A branch that never runs may take what is not there.
    prints(
      'x = [1, 2]; if (nrow(x) > 5) x = x[0:6, ]; print(nrow(x)); print(nrow(x) <= 5 ? 1z : nrow(x[6, ]));',
      '2\n1\n',
    ),
    fails('x = [1, 2]; if (sum(x) > 5) x = x[0:6, ];', 2),
    fails('if (true) print(1) else print(2);', 1),
  ],
  while: [
    prints('i = 0; while (i < 3) { print(i); i = i + 1; }', '0\n1\n2\n'),
    // What the condition looks at is there after the loop, though each turn makes it anew.
    prints('X = [0]; i = 0; while (as.scalar(X) < 3) { i = i + 1; X = [i]; } print(as.scalar(X));', '3\n'),
    prints('i = 0; do { i = i + 1; print(i); } while (i < 2);', '1\n2\n'),
    prints('i = 9; do print(i); while (false)', '9\n'),
    // The shape is another one in each turn, and what is right of later ones is no error of the first one.
    prints(
      'q = [1]; while (nrow(q) > 0) { n = as.scalar(q[0, ]); print(n); if (nrow(q) > 1) q = q[1:, ]; else q = fill(1, 0, 1); if (n < 3) q = rbind(q, [n + 2, 9]); }',
      '1\n3\n9\n',
    ),
    prints('q = [1]; for (i in 1:4) { if (i > 2) q = q[1:, ]; else q = rbind(q, [i]); } print(nrow(q));', '1\n'),
    fails('do { z = 1; } while (z < 1);', 1),
    fails('while (true) { break; }', 1),
  ],
  for: [
    prints('for (i in 1:3) print(i);', '1\n2\n3\n'),
    prints(
      'F = {"a": [1]}; s = 0; for (i in 1:2) for (j in 1:2) for (k in 1:2) { s = s + as.scalar(F[-1, "a"]); F = rbind(F, {"a": [k]}); } print(s); print(nrow(F));',
      '11\n9\n',
    ),
    prints('for (i in 3:1) print(i);', '3\n2\n1\n'),
    prints('for (i in 1:5:2) print(i);', '1\n3\n5\n'),
    prints('for (i in 5:1:-2) print(i);', '5\n3\n1\n'),
    prints('for (i in 1:3:-1) print(i); print("end");', 'end\n'),
    prints('n = 2; for (i in 1:n) { n = 10; print(i); }', '1\n2\n'),
    prints('s = 0; for (i in 1:100) s = s + i; print(s);', '5050\n'),
    fails('for (i in 1:3) i = 5;', 1),
    fails('for (i in 1:3) print(i); print(i);', 1),
  ],
  functions: [
    prints('def f(x) { return x + 1; } print(f(1)); print(f(1.5));', '2\n2.5\n'),
    prints('def f(a: si64, b: si64) -> si64 { return a - b; } print(f(5, 3)); print(f(b=5, a=3));', '2\n-2\n'),
    prints('def f(a, b) -> si64, f64 { return a, b; } x, y = f(1, 2.5); print(x); print(y);', '1\n2.5\n'),
    prints('def f(x: si64) -> si64 { if (x < 2) return x; return f(x - 1) + f(x - 2); } print(f(15));', '610\n'),
    prints('def f(x: si64) { print("int"); } def f(x: f64) { print("float"); } f(1); f(1.0);', 'int\nfloat\n'),
    prints('def sum(x) { return 7; } print(sum([1, 2]));', '7\n'),
    prints('def f(M: matrix<f64>) -> f64 { return sum(M); } print(f([1.5, 2.5]));', '4\n'),
    prints('def f() { print("f"); } f();', 'f\n'),
    // Of what nobody calls, little is known.
    prints('def f(M: matrix) { return as.scalar(M[0, 0]); } def g(x) { return (x > 0) ? 1 : 0.5; } print(1);', '1\n'),
    prints('def f(p: str) { X = readMatrix(p); return as.scalar(X[0, 0]); } print(1);', '1\n'),
    // What is constant where a function is called is constant in it, of many shapes, too.
    prints(
      `def f(M, axis) { return sum(M, axis); } ${Array.from({ length: 12 }, (_, i) => `print(as.scalar(f(fill(1, 1, ${i}), 0)));`).join(' ')}`,
      Array.from({ length: 12 }, (_, i) => `${i}\n`).join(''),
    ),
    fails('g = 1; def f() { return g; } print(f());', 1),
    fails('def f() { return 1, 2; } a, b = f();', 1, /write down their types/),
    fails('def f(x: f64) { return x; } print(f(1));', 1),
    fails('def f(x) { return x; } print(f());', 1),
    fails('def f(x) { return x; } print(f(1, 2));', 1),
    fails('def f(x) { if (x > 0) return 1; } print(f(1));', 1),
    fails('if (true) { def f() { return 1; } }', 1),
    fails('def f(x: frame) { return x; }', 1),
    fails('f(1);', 1, /f/),
  ],
  imports: [
    withFiles(
      { 'a.daphne': 'x = 3; def double(v) { return v * 2; }' },
      prints('import "a.daphne"; print(a.x); print(a.double(a.x));', '3\n6\n'),
    ),
    withFiles({ 'a.daphne': 'x = 3;' }, prints('import "a.daphne" as "m"; print(m.x);', '3\n')),
    fails('import "nowhere.daphne";', 1),
    withFiles({ 'a.daphne': 'x = ;' }, fails('import "a.daphne";', 1)),
    withFiles({ 'a.daphne': 'x = 3;' }, fails('import "a.daphne"; a.x = 4;', 1)),
  ],
  'script arguments': [
    prints('print($x + 1);', '6\n', 'x=5'),
    prints('print($s);', 'a b\n', 's="a b"'),
    prints('print($x);', '-1.5\n', 'x=-1.5'),
    prints('print(1);', '1\n', 'unused=3'),
    fails('print($x);', 1, /x/),
    fails('print($x);', 1, undefined, 'x=10+10'),
    fails('print($x);', 1, undefined, 'x=10xyz'),
    fails('print($x);', 1, undefined, 'x=1', 'x=2'),
  ],
  'what ends it': [
    fails('print("a"); stop("enough");', 3, /system stopped: enough/),
    fails('stop();', 3, /unspecified reason/),
    fails('s = "a"; for (i in 1:40) s = s + s; print(s);', 3, /a string has become longer/),
    fails('X = fill("a", 1000000, 1000);', 3, /larger than any memory/),
  ],
};
