import { type Cases, fails, prints } from './case.ts';

const M = 'M = [1, 5, 3, 4, 2, 6](2, 3); ';

export const BUILT_INS: Cases = {
  generation: [
    prints(
      'print(fill(1.5, 1, 2)); print(fill("a", 1, 2));',
      'DenseMatrix(1x2, double)\n1.5 1.5\nDenseMatrix(1x2, std::string)\na a\n',
    ),
    prints(
      'print(t(seq(1, 5, 2))); print(t(seq(1.0, 2.0, 0.5))); print(t(seq(3, 1))); print(t(seq(3, 1, -1)));',
      'DenseMatrix(1x3, int64_t)\n1 3 5\nDenseMatrix(1x3, double)\n1 1.5 2\nDenseMatrix(1x0, int64_t)\n\nDenseMatrix(1x3, int64_t)\n3 2 1\n',
    ),
    prints('print(diagMatrix([1, 2]));', 'DenseMatrix(2x2, int64_t)\n1 0\n0 2\n'),
    prints(
      'X = rand(10, 10, 1, 9, 0.5, 3); print(sum(X > 0)); print(typeOf(X)); Y = rand(10, 10, 1, 9, 0.5, 3); print(sum(X != Y));',
      '50\nDenseMatrix(10x10, int64_t)\n0\n',
    ),
    prints('print(nrow(sample(100, 5, false, 1))); print(aggMax(sample(3, 50, true, 1)) < 3);', '5\n1\n'),
    fails('print(sample(3, 5, false, 1));', 3),
    fails('print(sample(5e-324, 2, false, 1));', 3, /of 1 numbers 2/),
    fails('print(rand(2, 2, nan, 1.0, 1.0, 1));', 3, /min is nan/),
    fails('print(fill("a", 90000, 90000));', 3, /any memory/),
    fails('print(rand(2, 2, 0.0, 1, 1.0, 1));', 1),
  ],
  shapes: [
    prints(`${M}print(nrow(M)); print(ncol(M)); print(ncell(M)); print(typeOf(nrow(M)));`, '2\n3\n6\nuint64_t\n'),
    prints('print(isSymmetric([1, 2, 2, 1](2, 2))); print(isSymmetric([1, 2, 3, 1](2, 2)));', '1\n0\n'),
  ],
  'sums and the like': [
    prints(
      `${M}print(sum(M)); print(aggMin(M)); print(aggMax(M)); print(mean(M)); print(var(M)); print(stddev([1.0, 3.0]));`,
      '21\n1\n6\n3.5\n2.91667\n1\n',
    ),
    prints(
      `${M}print(sum(M, 0)); print(sum(M, 1)); print(aggMax(M, 0)); print(mean(M, 1));`,
      'DenseMatrix(2x1, int64_t)\n9\n12\nDenseMatrix(1x3, int64_t)\n5 7 9\nDenseMatrix(2x1, int64_t)\n5\n6\nDenseMatrix(1x3, double)\n2.5 3.5 4.5\n',
    ),
    prints(
      `${M}print(idxMax(M, 0)); print(idxMin(M, 1));`,
      'DenseMatrix(2x1, uint64_t)\n1\n2\nDenseMatrix(1x3, uint64_t)\n0 1 0\n',
    ),
    prints(
      'print(t(cumSum([1, 2, 3]))); print(t(cumProd([1, 2, 3]))); print(t(cumMin([2, 1, 3]))); print(t(cumMax([2, 1, 3])));',
      'DenseMatrix(1x3, int64_t)\n1 3 6\nDenseMatrix(1x3, int64_t)\n1 2 6\nDenseMatrix(1x3, int64_t)\n2 1 1\nDenseMatrix(1x3, int64_t)\n2 2 3\n',
    ),
    prints(
      'print(t(sum([1, 2, 3], groupIds=[0, 1, 0], numGroups=2))); print(sum(axis=1, arg=[1, 2, 3]));',
      'DenseMatrix(1x2, int64_t)\n4 2\nDenseMatrix(1x1, int64_t)\n6\n',
    ),
    fails(`${M}print(sum(M, 2));`, 1),
    fails('print(sum([1], axis=0, numGroups=1));', 1, /no parameter `numGroups`/),
  ],
  reorganisation: [
    prints(
      `${M}print(t(M)); print(reshape(M, 3, 2)); print(reverse(M));`,
      'DenseMatrix(3x2, int64_t)\n1 4\n5 2\n3 6\nDenseMatrix(3x2, int64_t)\n1 5\n3 4\n2 6\nDenseMatrix(2x3, int64_t)\n4 2 6\n1 5 3\n',
    ),
    prints(
      'print(cbind([1, 2], [3.5, 4.5])); print(rbind([1], [2]));',
      'DenseMatrix(2x2, double)\n1 3.5\n2 4.5\nDenseMatrix(2x1, int64_t)\n1\n2\n',
    ),
    prints(
      'X = [3, 1, 2, 1, 9, 8](3, 2); print(order(X, 0, true, false)); print(order(X, 0, false, true));',
      'DenseMatrix(3x2, int64_t)\n2 1\n3 1\n9 8\nDenseMatrix(3x1, uint64_t)\n2\n0\n1\n',
    ),
    fails('print(cbind([1, 2], [1]));', 2),
    fails(`${M}print(reshape(M, 4, 2));`, 3),
  ],
  'outer operations': [
    prints(
      'print(outerAdd([1, 2], [10, 20](1, 2))); print(outerMul([1, 2], [10, 20](1, 2)));',
      'DenseMatrix(2x2, int64_t)\n11 21\n12 22\nDenseMatrix(2x2, int64_t)\n10 20\n20 40\n',
    ),
  ],
  'linear algebra': [
    prints('print(solve([2.0, 0.0, 0.0, 4.0](2, 2), [2.0, 8.0]));', 'DenseMatrix(2x1, double)\n1\n2\n'),
    fails('print(solve([1.0, 2.0, 2.0, 4.0](2, 2), [1.0, 2.0]));', 3, /column 1 .* diagMatrix/),
    prints(
      'print(syrk([1.0, 2.0, 3.0, 4.0](2, 2))); print(gemv([1.0, 2.0, 3.0, 4.0](2, 2), [1.0, 1.0]));',
      'DenseMatrix(2x2, double)\n10 14\n14 20\nDenseMatrix(2x1, double)\n4\n6\n',
    ),
    prints(
      'print(diagVector([1, 2, 3, 4](2, 2))); print(lowerTri([1, 2, 3, 4](2, 2), false, true)); print(upperTri([1, 2, 3, 4](2, 2), true, false));',
      'DenseMatrix(2x1, int64_t)\n1\n4\nDenseMatrix(2x2, int64_t)\n0 0\n3 0\nDenseMatrix(2x2, int64_t)\n1 1\n0 1\n',
    ),
    prints('print(replace([1.0, nan, 3.0], nan, 0.0));', 'DenseMatrix(3x1, double)\n1\n0\n3\n'),
    prints('print(ctable([0, 1, 1], [1, 0, 0]));', 'DenseMatrix(2x2, double)\n0 1\n2 0\n'),
    prints(
      'print(ctable([0, 0], [0, 1], true)); print(ctable([0, 0], [0, 0], true));',
      'DenseMatrix(1x2, bool)\n1 1\nDenseMatrix(1x1, bool)\n1\n',
    ),
    prints('print(ctable([0, 1], [1, 5], 2, 2));', 'DenseMatrix(2x2, double)\n0 1\n0 0\n'),
  ],
  preparation: [
    prints('print(oneHot([1, 0, 2], [3]));', 'DenseMatrix(3x3, int64_t)\n0 1 0\n1 0 0\n0 0 1\n'),
    prints(
      'c, d = recode([7, 3, 7], false); print(t(c)); print(t(d)); c2, d2 = recode([7, 3, 7], true); print(t(c2));',
      'DenseMatrix(1x3, int64_t)\n0 1 0\nDenseMatrix(1x2, int64_t)\n7 3\nDenseMatrix(1x3, int64_t)\n1 0 1\n',
    ),
    prints('print(t(bin([10, 20, 30, 40, 50], 2)));', 'DenseMatrix(1x5, int64_t)\n0 0 0 1 1\n'),
    prints('def f(x) { return x * 2; } print(t(map([1, 2], f)));', 'DenseMatrix(1x2, int64_t)\n2 4\n'),
  ],
  lists: [
    prints(
      'l = createList([1], [2]); m = append(l, [3]); print(length(l)); print(length(m)); r, e = remove(m, 0); print(length(r)); print(e);',
      '2\n3\n2\nDenseMatrix(1x1, int64_t)\n1\n',
    ),
    fails('l = createList([1]); r, e = remove(l, 5);', 3),
  ],
  frames: [
    prints(
      'a = {"k": [1, 2], "v": [10, 20]}; b = {"q": [2, 3], "w": [200, 300]}; print(innerJoin(a, b, "k", "q"));',
      'Frame(1x4, [k:int64_t, v:int64_t, q:int64_t, w:int64_t])\n2 20 2 200\n',
    ),
    prints(
      'a = {"a": [1, 2]}; b = {"b": [5, 6]}; print(cartesian(a, b));',
      'Frame(4x2, [a:int64_t, b:int64_t])\n1 5\n1 6\n2 5\n2 6\n',
    ),
    prints(
      'f = {"k": [2, 1, 2], "v": [1, 5, 3]}; print(groupSum(f, "k", "v"));',
      'Frame(2x2, [k:int64_t, SUM(v):int64_t])\n1 5\n2 4\n',
    ),
    prints(
      'f = {"a": [1]}; print(setColLabels(f, "z")); print(setColLabelsPrefix(f, "p"));',
      'Frame(1x1, [z:int64_t])\n1\nFrame(1x1, [p.a:int64_t])\n1\n',
    ),
    prints('print(cbind({"a": [1]}, {"b": [2]}));', 'Frame(1x2, [a:int64_t, b:int64_t])\n1 2\n'),
  ],
  sql: [
    prints(
      'registerView("x", {"a": [3, 1, 3], "b": [1.5, 2.5, 3.5]}); print(sql("SELECT x.a, sum(x.b) AS s FROM x GROUP BY x.a;"));',
      'Frame(2x2, [x.a:int64_t, s:double])\n1 2.5\n3 5\n',
    ),
    prints(
      'registerView("x", {"a": [3, 1, 2]}); print(sql("select x.a from x where x.a between 9 and 2 order by x.a desc"));',
      'Frame(2x1, [x.a:int64_t])\n3\n2\n',
    ),
    prints(
      'registerView("x", {"a": [3, 1, 3]}); print(sql("SELECT DISTINCT x.a FROM x")); print(sql("SELECT count(x.a), avg(x.a) FROM x"));',
      'Frame(2x1, [x.a:int64_t])\n1\n3\nFrame(1x2, [count(x.a):int64_t, avg(x.a):double])\n3 2.33333\n',
    ),
    fails('registerView("x", {"a": [1]}); print(sql("SELECT x.z FROM x"));', 2),
    fails('print(sql("SELECT y.a FROM y"));', 2),
    fails('registerView("x", {"a": [1]}); print(sql("SELEC x.a FROM x"));', 2),
  ],
};
