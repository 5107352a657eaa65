import { type Cases, fails, printed, prints, withFiles } from './case.ts';

const matrix = (shape: string, type: string, ...rows: string[]) =>
  `DenseMatrix(${shape}, ${type})\n${rows.join('\n')}\n`;

const FRAME = '{"a": [1]}';
/** Of a frame, which they do not take. */
const notOfFrames = (...names: string[]) => names.map((name) => fails(`print(${name}(${FRAME}));`, 1));
const notOfFramesBoth = (...names: string[]) => names.map((name) => fails(`print(${name}(${FRAME}, ${FRAME}));`, 1));

/** What `[1, 2]` with `[3, 2]` as a row makes. */
const outer = (name: string, first: string, second: string) =>
  prints(`print(outer${name}([1, 2], [3, 2](1, 2)));`, matrix('2x2', 'int64_t', first, second));

/** Of each row and of each column of two by two numbers. */
const byAxis = (name: string, type: string, first: string, second: string, columns: string) =>
  prints(
    `X = [1, 3, 5, 3](2, 2); print(${name}(X, 0)); print(${name}(X, 1));`,
    `${matrix('2x1', type, first, second)}${matrix('1x2', type, columns)}`,
  );

/** Three rows in two groups. */
const GROUPS = 'X = [1, 2, 3, 4, 5, 6](3, 2); ids = [0, 1, 0]; ';
const grouped = (name: string, type: string, first: string, second: string) =>
  prints(`${GROUPS}print(${name}(X, ids, 2));`, matrix('2x2', type, first, second));

const CSV = { 'm.csv': '1,2\n3,4\n', 'm.csv.meta': '{"numRows":2,"numCols":2,"valueType":"si64"}' };
const TABLE = {
  'f.csv': '1,x\n2,y\n',
  'f.csv.meta': '{"numRows":2,"numCols":2,"schema":[{"label":"n","valueType":"si64"},{"label":"s","valueType":"str"}]}',
};

/** What the other tables have no case of: each built-in rightly and wrongly. */
export const CALLS: Cases = {
  'what is made': [
    fails('print(fill(1.5, -1, 2));', 3),
    fails('print(fill([1], 1, 2));', 1),
    fails('print(seq(1, 5, 0));', 3),
    fails('print(seq("a", "b"));', 1),
    fails('print(diagMatrix([1, 2](1, 2)));', 3),
    fails('print(diagMatrix(["a"]));', 1),
  ],
  'what is known of objects': [
    prints('print(sparsity([1, 0, 0, 2]));', '0.5\n'),
    fails('print(sparsity(1));', 1),
    prints('print(isSymmetric(["a", "b", "b", "a"](2, 2)));', '1\n'),
    fails('print(isSymmetric([1, 2]));', 3),
    ...['nrow', 'ncol', 'ncell'].map((name) => fails(`print(${name}(1));`, 1)),
    ...['nrow', 'ncol', 'ncell'].map((name) => prints(`print(${name}(${FRAME})); print(${name}(["a"]));`, '1\n1\n')),
    fails('print(typeOf());', 1),
    fails('print(typeOf(1, 2));', 1),
  ],
  'element by element': [
    ...printed({
      'minus(3)': '-3',
      'tan(0.0)': '0',
      'asin(0.0)': '0',
      'acos(1.0)': '0',
      'sinh(0.0)': '0',
      'cosh(0.0)': '1',
    }),
    prints('print(minus([1, -2]));', matrix('2x1', 'int64_t', '-1', '2')),
    prints('print(sqrt([4, 9]));', matrix('2x1', 'double', '2', '3')),
    prints('print(isNan([1.0, nan]));', matrix('2x1', 'double', '0', '1')),
    prints('print(upper(["a", "b"]));', matrix('2x1', 'std::string', 'A', 'B')),
    ...notOfFrames('minus', 'abs', 'sign', 'exp', 'ln', 'sqrt', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan'),
    ...notOfFrames('sinh', 'cosh', 'tanh', 'round', 'floor', 'ceil', 'isNan', 'lower', 'upper'),
    fails('print(abs("a"));', 1),
    fails('print(lower(1));', 1),
    fails('print(acos(2.0));', 3),
    prints(
      'print(max([1, 5], [3, 4])); print(concat(["a", "b"], 1));',
      `${matrix('2x1', 'int64_t', '3', '5')}${matrix('2x1', 'std::string', 'a1', 'b1')}`,
    ),
    ...notOfFramesBoth('pow', 'mod', 'log', 'min', 'max', 'concat'),
    fails('print(pow("a", 2));', 1),
    // What a float that is none becomes as an integer.
    prints('print(mod(7, 0));', '-9223372036854775808\n'),
    fails('print(min([1, 2], [1, 2, 3]));', 3),
    fails('print(mod([1, 2], [1, 2, 3]));', 3),
    fails('print(pow([1, 2], [1, 2, 3]));', 3),
  ],
  'each with each': [
    outer('Sub', '-2 -1', '-1 0'),
    outer('Div', '0 0', '0 1'),
    outer('Pow', '1 1', '8 4'),
    outer('Mod', '1 1', '2 0'),
    outer('Min', '1 1', '2 2'),
    outer('Max', '3 2', '3 2'),
    outer('Eq', '0 0', '0 1'),
    outer('Neq', '1 1', '1 0'),
    outer('Lt', '1 1', '1 0'),
    outer('Le', '1 1', '1 1'),
    outer('Gt', '0 0', '0 0'),
    outer('Ge', '0 0', '0 1'),
    prints('print(outerLog([4.0, 8.0], [2.0, 4.0](1, 2)));', matrix('2x2', 'double', '2 1', '3 1.5')),
    prints('print(outerAnd([0, 2], [1, 0](1, 2)));', matrix('2x2', 'int64_t', '0 0', '1 0')),
    prints('print(outerOr([0, 2], [1, 0](1, 2)));', matrix('2x2', 'int64_t', '1 0', '1 1')),
    prints('print(outerConcat(["a", "b"], ["x", "y"](1, 2)));', matrix('2x2', 'std::string', 'ax ay', 'bx by')),
    ...[
      'Add',
      'Sub',
      'Mul',
      'Div',
      'Pow',
      'Log',
      'Mod',
      'Min',
      'Max',
      'And',
      'Or',
      'Eq',
      'Neq',
      'Lt',
      'Le',
      'Gt',
      'Ge',
      'Concat',
    ].map((name) => fails(`print(outer${name}([1, 2], 3));`, 1, /a matrix here/)),
    fails('print(outerAdd([1, 2](1, 2), [1, 2](1, 2)));', 3, /a column and a row/),
  ],
  'rows and columns': [
    byAxis('sum', 'int64_t', '4', '8', '6 6'),
    byAxis('aggMin', 'int64_t', '1', '3', '1 3'),
    byAxis('aggMax', 'int64_t', '3', '5', '5 3'),
    byAxis('mean', 'double', '2', '4', '3 3'),
    byAxis('var', 'double', '1', '1', '4 0'),
    byAxis('stddev', 'double', '1', '1', '2 0'),
    fails('n = 0; for (i in 1:2) { n = n + 1; } print(sum([1, 2], n));', 1),
  ],
  'groups of rows': [
    grouped('sum', 'int64_t', '6 8', '3 4'),
    grouped('aggMin', 'int64_t', '1 2', '3 4'),
    grouped('aggMax', 'int64_t', '5 6', '3 4'),
    grouped('mean', 'double', '3 4', '3 4'),
    grouped('var', 'double', '4 4', '0 0'),
    grouped('stddev', 'double', '2 2', '0 0'),
    grouped('count', 'uint64_t', '2 2', '1 1'),
    fails(`${GROUPS}print(sum(X, [0, 5, 0], 2));`, 3, /groups are numbers from 0 to 1/),
    fails(`${GROUPS}print(count(X, [0, 1], 2));`, 2),
    fails(`${GROUPS}print(count(X, ids));`, 1),
    ...['aggMin', 'aggMax', 'mean', 'var', 'stddev'].map((name) => fails(`print(${name}(1));`, 1)),
    ...['idxMin', 'idxMax'].map((name) => fails(`print(${name}([1], 2));`, 1, /0 \(rows\) or 1/)),
    ...['cumSum', 'cumProd', 'cumMin', 'cumMax'].map((name) => fails(`print(${name}(["a"]));`, 1)),
  ],
  'other places': [
    prints('print(transpose(["a", "b"]));', matrix('1x2', 'std::string', 'a b')),
    ...['t', 'transpose'].map((name) => fails(`print(${name}(1));`, 1)),
    prints('print(reverse({"a": [1, 2]}));', 'Frame(2x1, [a:int64_t])\n2\n1\n'),
    fails('print(reverse(1));', 1),
    fails('print(rbind([1], [1, 2](1, 2)));', 2),
    fails('print(rbind([1], {"a": [1]}));', 1),
    prints(
      'print(order({"a": [2, 1], "b": [5, 6]}, "a", true, false));',
      'Frame(2x2, [a:int64_t, b:int64_t])\n1 6\n2 5\n',
    ),
    prints(
      'X = [2, 1, 1, 9, 2, 8](3, 2); print(order(X, 0, 1, true, false, false));',
      matrix('3x2', 'int64_t', '1 9', '2 8', '2 1'),
    ),
    fails('print(order([1, 2], 0, true));', 1),
    fails('print(order([1, 2], 3, true, false));', 3),
    fails('print(order([1, 2], "a", true, false));', 1, /labels/),
    fails('print(order({"a": [1]}, "b", true, false));', 2),
  ],
  'products and equations': [
    fails('print(syrk(1));', 1),
    fails('print(gemv([1, 2](1, 2), [1, 2]));', 3),
    fails('print(solve([1.0, 2.0, 2.0, 4.0](2, 2), [1.0, 2.0]));', 3),
    fails('print(solve([1.0, 2.0], [1.0, 2.0]));', 3),
    fails('v, w = eigen([1.0, 2.0, 3.0, 4.0](2, 2));', 3, /symmetric/),
    fails('print(diagVector([1, 2]));', 3),
    ...['lowerTri', 'upperTri'].map((name) => fails(`print(${name}([1, 2], true, true));`, 3)),
    prints('print(replace(["a", "b"], "a", "c"));', matrix('2x1', 'std::string', 'c', 'b')),
    fails('print(replace([1], "a", "b"));', 1),
    prints('print(ctable([0, 1, 0], [1, 1, 1], [0.5, 2.0, 3.0]));', matrix('2x2', 'double', '0 3.5', '0 2')),
    prints('print(ctable([0, 1, 0], [1, 1, 1], 2, 2, 3));', matrix('2x3', 'int64_t', '0 4 0', '0 2 0')),
    // Those that are large and have few pairs are stored by rows.
    prints(
      'C = ctable([0, 4999, 7, 0, 4999, 9999], [4999, 1, 7, 4999, 0, 0], [0.5, 1.0, 0.0, 2.0, 4.0, 9.0], 5000, 5000); print(typeOf(C)); print(C[ [0, 4999], [0, 1, 4999] ]); print(sparsity(C) * 25000000.0);',
      `CSRMatrix(5000x5000, double)\n${matrix('2x3', 'double', '0 0 2.5', '4 1 0')}3\n`,
    ),
    prints(
      'D = diagMatrix(seq(1, 5000)); print(typeOf(D)); print(D[4998:, 4998:]); print(sum(D));',
      `CSRMatrix(5000x5000, int64_t)\n${matrix('2x2', 'int64_t', '4999 0', '0 5000')}12502500\n`,
    ),
    fails('print(ctable([0, 1], [1]));', 3),
    fails('print(ctable([-1], [1]));', 3),
    fails('print(ctable([1], 1));', 1),
  ],
  preparation: [
    prints('print(oneHot(["b", "a", "b"], [2]));', matrix('3x2', 'int64_t', '1 0', '0 1', '1 0')),
    fails('print(oneHot([1, 5], [3]));', 3),
    fails('print(oneHot([1], [1.5]));', 1, /integers/),
    fails('c, d = recode([1, 2](1, 2), false);', 3),
    fails('c, d = recode(1, false);', 1),
    prints('print(t(bin([-5.0, 5.0, 25.0, nan], 2, 0.0, 20.0)));', matrix('1x4', 'double', '0 0 1 nan')),
    fails('print(bin([1, 2], 0));', 3),
    fails('print(bin([1, 2], 2, 0));', 1),
    prints('print(t(quantize(as.f32([0.0, 0.5, 1.0]), 0.0f, 1.0f)));', matrix('1x3', 'uint8_t', '0 128 255')),
    fails('print(quantize([1.0], 0.0f, 1.0f));', 1, /f32/),
    prints('def f(s) { return s + "!"; } print(map(["a", "b"], f));', matrix('2x1', 'std::string', 'a!', 'b!')),
    fails('def f(x) { return x * 0.5; } print(map([1], f));', 2),
    fails('print(map([1], g));', 1),
  ],
  'frames and views': [
    fails('print(setColLabelsPrefix([1], "p"));', 1, /a frame/),
    ...['leftOuterJoin', 'fullOuterJoin', 'antiJoin'].map((name) =>
      fails(`a = {"k": [1]}; print(${name}(a, {"q": [1]}, "z", "q"));`, 2, /no column "z"/),
    ),
    prints('f, t = semiJoin({"k": [1, 2]}, {"q": [2]}, "k", "q", 9); print(f);', 'Frame(1x1, [k:int64_t])\n2\n'),
    prints('f, t = antiJoin({"k": [1, 2]}, {"q": [2]}, "k", "q", 9); print(f);', 'Frame(1x1, [k:int64_t])\n1\n'),
    fails('f, t = groupJoin({"k": [1]}, {"q": [1], "s": ["x"]}, "k", "q", "s");', 2, /strings/),
    fails(`print(cartesian(${FRAME}, [1]));`, 1),
    ...['merge', 'except'].map((name) => fails(`print(${name}({"k": [1]}, {"k": [1.5]}));`, 2)),
    fails('n = "x"; if (sum(rand(1, 1, 1, 9, 1.0, 1)) > 0) { n = "y"; } registerView(n, {"a": [1]});', 1, /constant/),
  ],
  'lists and text': [
    prints('print(createList(["a"]));', 'List(1, DenseMatrix, std::string)\nDenseMatrix(1x1, std::string)\na\n'),
    prints('print([1], true, false); print("a", false, false);', `${matrix('1x1', 'int64_t', '1')}a`),
    prints('l = append(createList(["a"]), ["b"]); m, e = remove(l, 0); print(e);', matrix('1x1', 'std::string', 'a')),
    fails('print();', 1),
    fails('print(1, "x");', 1),
  ],
  files: [
    withFiles(CSV, prints('print(readMatrix("$DIR/m.csv"));', matrix('2x2', 'int64_t', '1 2', '3 4'))),
    withFiles(
      { 'h.csv': '0x1p3,0X1.8,1e+,nan(1)\n', 'h.csv.meta': '{"numRows":1,"numCols":4,"valueType":"f64"}' },
      prints('print(readMatrix("$DIR/h.csv"));', matrix('1x4', 'double', '8 1.5 1 nan')),
    ),
    fails('print(readMatrix("nowhere.csv"));', 3),
    fails('print(readMatrix(1));', 1),
    withFiles(TABLE, prints('print(readFrame("$DIR/f.csv"));', 'Frame(2x2, [n:int64_t, s:std::string])\n1 x\n2 y\n')),
    fails('print(readFrame("nowhere.csv"));', 3),
    fails('print(readFrame([1]));', 1),
    ...['write', 'writeMatrix', 'writeFrame'].flatMap((name) => [
      withFiles(
        {},
        prints(
          `${name}([1.5, 2.5], "$DIR/o.csv"); X = readMatrix("$DIR/o.csv"); print(as.matrix<f64>(X)); ${name}(${FRAME}, "$DIR/g.csv"); print(readFrame("$DIR/g.csv"));`,
          `${matrix('2x1', 'double', '1.5', '2.5')}Frame(1x1, [a:int64_t])\n1\n`,
        ),
      ),
      withFiles({}, fails(`${name}([1], "$DIR/o.xyz");`, 3)),
      fails(`${name}(1, "o.csv");`, 1),
    ]),
    withFiles(
      { 's.txt': '1;2\n3;4\n' },
      prints('print(readCsv("$DIR/s.txt", 2, 2, ";"));', matrix('2x2', 'double', '1 2', '3 4')),
    ),
    withFiles({ 's.txt': '1;2\n' }, fails('print(readCsv("$DIR/s.txt", 1, 2, ";;"));', 3, /one character/)),
    fails('print(readCsv(1, 2, 2, ";"));', 1),
    withFiles(CSV, prints('f = openFile("$DIR/m.csv"); print(nrow(readMatrix(f))); close(f);', '2\n')),
    fails('f = openFile("nowhere.csv");', 3),
    fails('f = openFile(1);', 1),
    fails('close(1);', 1),
    fails('d = openDevice("d");', 1, /no storage devices/),
    fails('f = openFileOnTarget("d", "f");', 1, /no storage devices/),
  ],
  'the system': [
    prints('a = now(); b = now(); print(typeOf(a)); print(b >= a);', 'int64_t\n1\n'),
    fails('print(now(1));', 1),
    ...['startProfiling', 'stopProfiling'].flatMap((name) => [
      prints(`${name}(); ${name}("region");`, ''),
      fails(`${name}(1);`, 1),
    ]),
    fails('x = receiveFromNumpy(1, 2, 3, 4);', 1, /Python/),
    fails('saveDaphneLibResult([1]);', 1, /Python/),
    fails('stop(1);', 1),
    fails('stop("a");', 3, /system stopped: a/),
  ],
};
