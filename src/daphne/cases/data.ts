import { type Cases, fails, prints } from './case.ts';

const X = 'X = seq(0, 11, 1); X = reshape(X, 4, 3); ';

export const DATA: Cases = {
  'literals of matrices': [
    prints('print([1, 2, 3]);', 'DenseMatrix(3x1, int64_t)\n1\n2\n3\n'),
    prints('print([1, 2.5]);', 'DenseMatrix(2x1, double)\n1\n2.5\n'),
    prints('print([1, 2, 3, 4](2, 2));', 'DenseMatrix(2x2, int64_t)\n1 2\n3 4\n'),
    prints(
      'print([1, 2, 3, 4](2,)); print([1, 2, 3, 4](,4)); print([1, 2](,));',
      'DenseMatrix(2x2, int64_t)\n1 2\n3 4\nDenseMatrix(1x4, int64_t)\n1 2 3 4\nDenseMatrix(2x1, int64_t)\n1\n2\n',
    ),
    prints('print(["a", "b c"]);', 'DenseMatrix(2x1, std::string)\na\nb c\n'),
    prints('print([true, false]);', 'DenseMatrix(2x1, bool)\n1\n0\n'),
    prints('a = 2; print([a, a + 1, a * 2.0]);', 'DenseMatrix(3x1, double)\n2\n3\n4\n'),
    fails('x = [];', 1),
    fails('x = [[1, 2], [3, 4]];', 1),
    fails('x = [1, 2, 3](2, 2);', 3),
    fails('x = [1, 2]("2", 1);', 1),
  ],
  'literals of frames': [
    prints('print({"a": [1, 2], "b": [1.5, 2.5]});', 'Frame(2x2, [a:int64_t, b:double])\n1 1.5\n2 2.5\n'),
    prints('print({["a", "b"], [1, 1.1], [2, 2.2]});', 'Frame(2x2, [a:int64_t, b:double])\n1 1.1\n2 2.2\n'),
    prints('print({"s": ["x", "y"]});', 'Frame(2x1, [s:std::string])\nx\ny\n'),
    fails('f = {1: [1]};', 1),
    fails('f = {"a": [1, 2], "b": [1]};', 2),
    fails('f = {"a": [1, 2](1, 2)};', 2),
  ],
  'what is printed': [
    prints(
      'print(1e9); print(0.1 + 0.2); print(-0.0); print(123456.7); print(1234567.0);',
      '1e+09\n0.3\n-0\n123457\n1.23457e+06\n',
    ),
    prints('print(as.si8(65)); print(as.ui8(200)); print(true); print("x");', '65\n200\n1\nx\n'),
    prints('print("a", false); print("b");', 'ab\n'),
    prints('print(createFrame([1, 2], [0.5, nan], "id", "v"));', 'Frame(2x2, [id:int64_t, v:double])\n1 0.5\n2 nan\n'),
    prints('print(createFrame([1], [2]));', 'Frame(1x2, [col_0:int64_t, col_1:int64_t])\n1 2\n'),
    prints(
      'print(createList([9], [9, 8](1, 2)));',
      'List(2, DenseMatrix, int64_t)\nDenseMatrix(1x1, int64_t)\n9\nDenseMatrix(1x2, int64_t)\n9 8\n',
    ),
    prints('x = [1, 2]; print(x[[ [0, 0], ]]);', 'DenseMatrix(0x1, int64_t)\n'),
    prints(
      'print(typeOf([1.0])); print(typeOf("a")); print(typeOf({"a": [1]})); print(typeOf(1));',
      'DenseMatrix(1x1, double)\nconst char*\nFrame(1x1, [a:int64_t])\nint64_t\n',
    ),
  ],
  positions: [
    prints(
      `${X}print(X[1, 2]); print(X[-1, -1]); print(X[1, ]); print(X[, 0]);`,
      'DenseMatrix(1x1, int64_t)\n5\nDenseMatrix(1x1, int64_t)\n11\nDenseMatrix(1x3, int64_t)\n3 4 5\nDenseMatrix(4x1, int64_t)\n0\n3\n6\n9\n',
    ),
    prints(`${X}print(as.scalar(X[1.9, 0]) + 1);`, '4\n'),
    fails(`${X}print(X[4, 0]);`, 2),
    fails(`${X}print(X[-5, 0]);`, 2),
    fails(`${X}print(X[0]);`, 1),
    fails(`${X}print(X[]);`, 1),
  ],
  ranges: [
    prints(
      `${X}print(X[1:3, 1:]); print(X[: -3, ]); print(X[-1:, ]);`,
      'DenseMatrix(2x2, int64_t)\n4 5\n7 8\nDenseMatrix(1x3, int64_t)\n0 1 2\nDenseMatrix(1x3, int64_t)\n9 10 11\n',
    ),
    prints(`${X}print(X[2:2, ]);`, 'DenseMatrix(0x3, int64_t)\n'),
    fails(`${X}print(X[3:1, ]);`, 2),
    fails(`${X}print(X[0:9, ]);`, 2),
  ],
  'lists of positions': [
    prints(`${X}print(X[ [3, 0, -1], ]);`, 'DenseMatrix(3x3, int64_t)\n9 10 11\n0 1 2\n9 10 11\n'),
    prints(`${X}print(X[, [2, 0] ]);`, 'DenseMatrix(4x2, int64_t)\n2 0\n5 3\n8 6\n11 9\n'),
    fails(`${X}print(X[ [0, 7], ]);`, 3),
  ],
  filters: [
    prints(`${X}print(X[[ [1, 0, 0, 1], ]]);`, 'DenseMatrix(2x3, int64_t)\n0 1 2\n9 10 11\n'),
    prints(`${X}print(X[[, [1, 0, 1] ]]);`, 'DenseMatrix(4x2, int64_t)\n0 2\n3 5\n6 8\n9 11\n'),
    prints(`${X}print(X[[X[, 0] > 3, ]]);`, 'DenseMatrix(2x3, int64_t)\n6 7 8\n9 10 11\n'),
  ],
  'what is replaced': [
    prints(
      `${X}Y = X; X[0, ] = [7, 8, 9](1, 3); print(X[0:2, ]); print(Y[0, ]);`,
      'DenseMatrix(2x3, int64_t)\n7 8 9\n3 4 5\nDenseMatrix(1x3, int64_t)\n0 1 2\n',
    ),
    prints(`${X}X[1:3, 1] = [-1, -2]; print(X[, 1]);`, 'DenseMatrix(4x1, int64_t)\n1\n-1\n-2\n10\n'),
    // In its place where nobody else has the matrix.
    prints(
      'X = fill(0, 2, 2); Y = X; for (i in 0:1) { X[i, i] = [i + 1]; Y = X; X[i, 0] = X[i, i] * 10; } print(X); print(Y);',
      'DenseMatrix(2x2, int64_t)\n10 0\n20 2\nDenseMatrix(2x2, int64_t)\n10 0\n0 2\n',
    ),
    prints(
      'X = fill("a", 2, 1); Y = createFrame(X); for (i in 0:1) { X[i, 0] = ["b" + i]; Y = createFrame(X); X[i, 0] = ["c"]; } print(X); print(Y);',
      'DenseMatrix(2x1, std::string)\nc\nc\nFrame(2x1, [col_0:std::string])\nc\nb1\n',
    ),
    prints(
      'X = fill(0, 1, 2); for (i in 0:1) { X[0, i] = [i + 7]; print(X); print(aggMax(X)); } registerView("v", createFrame(X[, 0], "a")); X[0, 0] = [1]; print(X); print(sql("SELECT sum(v.a) FROM v"));',
      'DenseMatrix(1x2, int64_t)\n7 0\n7\nDenseMatrix(1x2, int64_t)\n7 8\n8\nDenseMatrix(1x2, int64_t)\n1 8\nFrame(1x1, [sum(v.a):int64_t])\n7\n',
    ),
    fails('Z[0, 0] = [5];', 1),
    fails(`${X}X[0, 0] = 5;`, 1),
    fails(`${X}X[0, ] = [1, 2];`, 3),
  ],
  'frames are indexed by labels as well': [
    prints(
      'f = {"a": [1, 2], "b": [3, 4]}; print(f[, "b"]); print(f[1, ]); print(as.scalar<si64>(f[0, "a"]));',
      'Frame(2x1, [b:int64_t])\n3\n4\nFrame(1x2, [a:int64_t, b:int64_t])\n2 4\n1\n',
    ),
    fails('f = {"a": [1]}; print(f[, "z"]);', 2),
  ],
  casts: [
    prints(
      'print(as.si64(3.9)); print(as.si64(-3.9)); print(as.f64(1) / 2); print(as.bool(5)); print(as.si64("12") + 1); print(as.f64("1.5") + 1); print(as.str(1.5)); print(as.str(7));',
      '3\n-3\n0.5\n1\n13\n2.5\n1.500000\n7\n',
    ),
    prints(
      'print(as.matrix(5)); print(as.scalar([7])); print(as.matrix<f64>([1, 2])); print(as.f64([1]));',
      'DenseMatrix(1x1, int64_t)\n5\n7\nDenseMatrix(2x1, double)\n1\n2\nDenseMatrix(1x1, double)\n1\n',
    ),
    prints(
      'print(as.frame([1, 2])); print(as.matrix({"a": [1, 2], "b": [3.5, 4.5]}));',
      'Frame(2x1, [col_0:int64_t])\n1\n2\nDenseMatrix(2x2, double)\n1 3.5\n2 4.5\n',
    ),
    prints(
      'print(as.f64("0x1.8p1")); print(as.f64("0x.8")); print(as.f64("0x")); print(as.f64(" -1.5e1x")); print(as.f64("-Infinity")); print(as.f64(["0X10p-2", "x"]));',
      '3\n0.5\n0\n-15\n-inf\nDenseMatrix(2x1, double)\n4\n0\n',
    ),
    fails('print(as.f64({"a": [1]}));', 1),
    fails('print(as.scalar([1, 2]));', 3),
  ],
};
