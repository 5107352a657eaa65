import { type Cases, fails, prints } from './case.ts';

const X = 'registerView("x", {"a": [3, 1, 3, 2], "b": [1.5, 2.5, 3.5, 4.5], "s": ["p", "q", "p", "r"]});';
const Y = 'registerView("y", {"k": [1, 3, 3], "w": [10, 30, 31]});';
const select = (query: string, ...lines: string[]) =>
  prints(`${X} ${Y} print(sql("${query}"));`, `${lines.join('\n')}\n`);
const wrong = (query: string, says?: RegExp, code: 2 | 3 = 2) => fails(`${X} ${Y} print(sql("${query}"));`, code, says);

const A = 'a = {"k": [1, 2, 2, 4], "v": [10, 20, 21, 40]};';
const B = 'b = {"q": [2, 3, 2, 1], "w": [200, 300, 201, 100]};';

/** Frames, lists and SQL: each sentence of their reference, right and wrong. */
export const RELATIONAL: Cases = {
  'frames from columns': [
    prints('print(createFrame([1, 2], [0.5, 1.5]));', 'Frame(2x2, [col_0:int64_t, col_1:double])\n1 0.5\n2 1.5\n'),
    prints('print(createFrame([1], ["t"], "n", "m"));', 'Frame(1x2, [n:int64_t, m:std::string])\n1 t\n'),
    fails('print(createFrame([1], [2], "n"));', 1, /as many labels/),
    fails('print(createFrame("n"));', 1),
    fails('print(createFrame([1, 2], [1]));', 2, /equally long/),
    fails('print(createFrame([1, 2](1, 2)));', 2, /one column/),
    fails('print(createFrame([1], [2], "n", "n"));', 3, /label "n"/),
    fails('print(createFrame([1], 2));', 1),
  ],
  labels: [
    prints(`${A} print(typeOf(setColLabels(a, "x", "y")));`, 'Frame(4x2, [x:int64_t, y:int64_t])\n'),
    fails(`${A} print(setColLabels(a, "x"));`, 2),
    fails(`${A} print(setColLabels(a, "x", "x"));`, 3),
    fails('print(setColLabels([1], "x"));', 1, /a frame/),
    prints(
      `${A} p = setColLabelsPrefix(a, "p"); print(typeOf(p)); print(typeOf(setColLabelsPrefix(p, "q")));`,
      'Frame(4x2, [p.k:int64_t, p.v:int64_t])\nFrame(4x2, [q.k:int64_t, q.v:int64_t])\n',
    ),
  ],
  'joins of frames': [
    prints(
      `${A} ${B} print(innerJoin(a, b, "k", "q"));`,
      'Frame(5x4, [k:int64_t, v:int64_t, q:int64_t, w:int64_t])\n1 10 1 100\n2 20 2 200\n2 20 2 201\n2 21 2 200\n2 21 2 201\n',
    ),
    prints(`${A} ${B} print(nrow(innerJoin(a, b, "k", "q", 100)));`, '5\n'),
    fails(`${A} ${B} print(innerJoin(a, b, "z", "q"));`, 2, /no column "z"/),
    fails(`${A} print(innerJoin(a, a, "k", "k"));`, 3, /label "k"/),
    fails(`${A} print(innerJoin(a, [1], "k", "k"));`, 1),
    fails(`${A} print(innerJoin(a, {"s": ["x"]}, "k", "s"));`, 2, /one kind/),
    prints(
      `${A} ${B} f, t = semiJoin(a, b, "k", "q"); print(f); print(t);`,
      'Frame(3x1, [k:int64_t])\n1\n2\n2\nDenseMatrix(3x1, uint64_t)\n0\n1\n2\n',
    ),
    prints(
      `${A} ${B} f, t = antiJoin(a, b, "k", "q"); print(f); print(t);`,
      'Frame(1x1, [k:int64_t])\n4\nDenseMatrix(1x1, uint64_t)\n3\n',
    ),
    fails(`${A} ${B} f = semiJoin(a, b, "k", "q");`, 1),
    prints(
      `${A} ${B} print(cartesian(a[0:2, "v"], b[0:2, "w"]));`,
      'Frame(4x2, [v:int64_t, w:int64_t])\n10 200\n10 300\n20 200\n20 300\n',
    ),
    prints(
      `${A} ${B} f, t = groupJoin(a, b, "k", "q", "w"); print(typeOf(f)); print(sum(as.matrix(f[, "SUM(w)"]))); print(nrow(t));`,
      'Frame(2x2, [k:int64_t, SUM(w):int64_t])\n501\n2\n',
    ),
    prints(
      'a = {"k": [5, 1, 20, 18]}; b = {"q": [18, 1, 20, 1, 7, 5], "w": [1.5, 2, 3, 4, 5, 6]}; f, t = groupJoin(a, b, "k", "q", "w"); print(f); print(t);',
      // 18 and 5 share a bucket of 13, where what comes later goes to the front of its chain; 20 became occupied last.
      'Frame(4x2, [k:int64_t, SUM(w):double])\n20 3\n1 6\n18 1.5\n5 6\nDenseMatrix(4x1, uint64_t)\n2\n1\n3\n0\n',
    ),
    prints(
      `${A} ${B} print(leftOuterJoin(a, b, "k", "q")[, [0, 3] ]);`,
      'Frame(6x2, [k:int64_t, w:int64_t])\n1 100\n2 200\n2 201\n2 200\n2 201\n4 0\n',
    ),
    prints(`${A} ${B} print(nrow(fullOuterJoin(a, b, "k", "q")));`, '7\n'),
  ],
  'groups and sets of frames': [
    prints(
      'print(groupSum({"g": [2, 1, 2], "h": ["b", "a", "a"], "v": [1.5, 2.0, 3.0]}, "g", "v"));',
      'Frame(2x2, [g:int64_t, SUM(v):double])\n1 2\n2 4.5\n',
    ),
    prints(
      'print(groupSum({"g": [2, 1, 2], "h": ["b", "a", "a"], "v": [1, 2, 3]}, "g", "h", "v"));',
      'Frame(3x3, [g:int64_t, h:std::string, SUM(v):int64_t])\n1 a 2\n2 a 3\n2 b 1\n',
    ),
    fails('print(groupSum({"g": [1], "v": [2]}, "g", "z"));', 2),
    fails('print(groupSum({"g": [1], "v": ["x"]}, "g", "v"));', 2),
    prints(
      'a = {"k": [3, 1, 3, 2]}; b = {"k": [2, 9, 3]}; print(intersect(a, b)); print(except(a, b)); print(merge(a, b));',
      'Frame(2x1, [k:int64_t])\n3\n2\nFrame(1x1, [k:int64_t])\n1\nFrame(4x1, [k:int64_t])\n3\n1\n2\n9\n',
    ),
    fails('print(intersect({"k": [1]}, {"k": [1.5]}));', 2),
    prints('print(cbind({"a": [1]}, {"b": ["x"]}));', 'Frame(1x2, [a:int64_t, b:std::string])\n1 x\n'),
    fails('print(cbind({"a": [1]}, {"a": [2]}));', 3),
    prints('print(rbind({"a": [1]}, {"a": [2]}));', 'Frame(2x1, [a:int64_t])\n1\n2\n'),
  ],
  'SQL: results': [
    select('SELECT x.a FROM x', 'Frame(4x1, [x.a:int64_t])', '3', '1', '3', '2'),
    select(
      'select x.a As n, 1 * x.b from x;',
      'Frame(4x2, [n:int64_t, 1*x.b:double])',
      '3 1.5',
      '1 2.5',
      '3 3.5',
      '2 4.5',
    ),
    select('SELECT z.a FROM x AS z WHERE z.b > 2 AND z.a <> 1', 'Frame(2x1, [z.a:int64_t])', '3', '2'),
    select('SELECT z.a FROM x z WHERE z.a = 1 OR z.a = 2', 'Frame(2x1, [z.a:int64_t])', '1', '2'),
    select("SELECT x.a FROM x WHERE x.s = 'p'", 'Frame(2x1, [x.a:int64_t])', '3', '3'),
    select('SELECT x.a FROM x WHERE x.b BETWEEN 3.5 AND 2', 'Frame(2x1, [x.a:int64_t])', '1', '3'),
    select('SELECT x.b BETWEEN 2 AND 3 FROM x', 'Frame(4x1, [x.bBETWEEN2AND3:int64_t])', '0', '1', '0', '0'),
    select('SELECT * FROM y', 'Frame(3x2, [y.k:int64_t, y.w:int64_t])', '1 10', '3 30', '3 31'),
    select(
      'SELECT x.a > 2, x.b > 2, x.a / 2, x.s = x.s FROM x WHERE x.a > 2 AND x.b < 2',
      'Frame(1x4, [x.a>2:int64_t, x.b>2:double, x.a/2:int64_t, x.s=x.s:int64_t])',
      '1 0 1 1',
    ),
    select('SELECT (x.a + 1) * 2 AS r FROM x ORDER BY x.b DESC', 'Frame(4x1, [r:int64_t])', '6', '8', '4', '8'),
    wrong('SELECT x.a, x.a FROM x', /label/, 3),
  ],
  'SQL: tables': [
    select(
      'SELECT x.a, y.w FROM x JOIN y ON x.a = y.k',
      'Frame(5x2, [x.a:int64_t, y.w:int64_t])',
      '3 30',
      '3 31',
      '1 10',
      '3 30',
      '3 31',
    ),
    select(
      'SELECT x.b, y.w FROM x INNER JOIN y ON y.k = x.a AND x.b > y.k',
      'Frame(3x2, [x.b:double, y.w:int64_t])',
      '2.5 10',
      '3.5 30',
      '3.5 31',
    ),
    select('SELECT x.a, y.k FROM x JOIN y ON x.a > y.k', 'Frame(3x2, [x.a:int64_t, y.k:int64_t])', '3 1', '3 1', '2 1'),
    select(
      'SELECT x.a, y.k FROM x, y WHERE x.a < y.k AND y.w = 30',
      'Frame(2x2, [x.a:int64_t, y.k:int64_t])',
      '1 3',
      '2 3',
    ),
    select(
      'SELECT x.b, y.w FROM x, y WHERE y.k = x.a AND x.b > 2 AND x.a >= y.k',
      'Frame(3x2, [x.b:double, y.w:int64_t])',
      '2.5 10',
      '3.5 30',
      '3.5 31',
    ),
    select(
      'SELECT p.w, y.w, q.w FROM y AS p, y, x, y AS q WHERE q.k = x.a AND p.k = q.k AND y.w < q.w AND x.b < 3',
      'Frame(6x3, [p.w:int64_t, y.w:int64_t, q.w:int64_t])',
      '30 10 30',
      '30 10 31',
      '30 30 31',
      '31 10 30',
      '31 10 31',
      '31 30 31',
    ),
    // The product has more rows than any memory.
    prints(
      'registerView("p", {"k": seq(1, 50000)}); registerView("q", {"k": seq(50000, 1, -1)}); print(sql("SELECT sum(q.k) FROM p, q WHERE p.k = q.k"));',
      'Frame(1x1, [sum(q.k):int64_t])\n1250025000\n',
    ),
    select('SELECT y.* FROM x, y WHERE x.a = 1', 'Frame(3x2, [y.k:int64_t, y.w:int64_t])', '1 10', '3 30', '3 31'),
    select(
      'SELECT p.k, q.k FROM y AS p JOIN y AS q ON p.k < q.k',
      'Frame(2x2, [p.k:int64_t, q.k:int64_t])',
      '1 3',
      '1 3',
    ),
    wrong('SELECT x.a FROM x, x', /two tables/),
    wrong('SELECT x.a FROM nowhere', /no view/),
    wrong('SELECT x.zz FROM x', /no column/),
    wrong('SELECT a FROM x', /no column/),
    wrong('SELECT y.k FROM x', /no table/),
    wrong('SELECT x.a FROM x JOIN y ON x.a = x.b', /both sides/),
  ],
  'SQL: groups': [
    select(
      'SELECT x.a, count(x.b), sum(x.b), min(x.b), max(x.b), avg(x.a) FROM x GROUP BY x.a',
      'Frame(3x6, [x.a:int64_t, count(x.b):int64_t, sum(x.b):double, min(x.b):double, max(x.b):double, avg(x.a):double])',
      '1 1 2.5 2.5 2.5 1',
      '2 1 4.5 4.5 4.5 2',
      '3 2 5 1.5 3.5 3',
    ),
    select(
      'SELECT x.s, SUM(x.a * 2) AS t FROM x GROUP BY x.s HAVING count(x.a) > 1',
      'Frame(1x2, [x.s:std::string, t:int64_t])',
      'p 12',
    ),
    select(
      'SELECT x.s, sum(x.b) AS t FROM x GROUP BY x.s ORDER BY t DESC',
      'Frame(3x2, [x.s:std::string, t:double])',
      'p 5',
      'r 4.5',
      'q 2.5',
    ),
    select('SELECT * FROM x GROUP BY x.s, x.a', 'Frame(3x2, [x.s:std::string, x.a:int64_t])', 'p 3', 'q 1', 'r 2'),
    select('SELECT DISTINCT x.s FROM x ORDER BY x.s DESC', 'Frame(3x1, [x.s:std::string])', 'p', 'q', 'r'),
    select(
      'SELECT sum(x.a), avg(x.a), max(x.s) FROM x',
      'Frame(1x3, [sum(x.a):int64_t, avg(x.a):double, max(x.s):std::string])',
      '9 2.25 r',
    ),
    select('SELECT count(x.a) FROM x WHERE x.a > 100', 'Frame(1x1, [count(x.a):int64_t])', '0'),
    wrong('SELECT x.a, x.b FROM x GROUP BY x.a', /neither in GROUP BY/),
    wrong('SELECT x.a, sum(x.b) FROM x', /neither in GROUP BY/),
    wrong('SELECT sum(sum(x.a)) FROM x', /aggregates of aggregates/),
    wrong('SELECT avg(x.s) FROM x', /takes numbers/),
    wrong('SELECT count(*) FROM x'),
    wrong('SELECT median(x.a) FROM x', /no function/),
    wrong('SELECT DISTINCT x.a, sum(x.b) FROM x GROUP BY x.a', /DISTINCT/),
    wrong('SELECT x.a FROM x WHERE sum(x.a) > 1'),
  ],
  'SQL: what it has not': [
    wrong('SELEC x.a FROM x', /SELECT/),
    wrong('SELECT x.a FROM x LIMIT 3'),
    wrong('SELECT x.a FROM x WHERE x.a IN (SELECT y.k FROM y)'),
    wrong('SELECT x.a FROM x UNION SELECT y.k FROM y'),
    wrong('SELECT x.a FROM x LEFT JOIN y ON x.a = y.k'),
    wrong('SELECT x.a FROM x ? y'),
    wrong('SELECT x.s * 2 FROM x', /strings/),
    wrong('SELECT x.a / 0 FROM x', /divided by 0/, 3),
    fails('sql(1);', 1),
    fails('registerView("x", [1]);', 1),
  ],
  'SQL: integers are exact': [
    prints(
      'registerView("x", {"a": [9007199254740993, 2], "g": [1, 1]}); print(sql("SELECT x.a + 1, x.a * 3 FROM x")); print(sql("SELECT sum(x.a) FROM x GROUP BY x.g"));',
      'Frame(2x2, [x.a+1:int64_t, x.a*3:int64_t])\n9007199254740994 27021597764222979\n3 6\nFrame(1x1, [sum(x.a):int64_t])\n9007199254740995\n',
    ),
    prints(
      'registerView("x", {"a": [3037000500, -5], "b": [3037000499, 2]}); print(sql("SELECT x.a * x.b, x.a / x.b FROM x WHERE x.a * x.b > 7 OR x.a < 0"));',
      'Frame(2x2, [x.a*x.b:int64_t, x.a/x.b:int64_t])\n9223372033963249500 1\n-10 -2\n',
    ),
  ],
  lists: [
    prints(
      'print(createList([1], [2, 3]));',
      'List(2, DenseMatrix, int64_t)\nDenseMatrix(1x1, int64_t)\n1\nDenseMatrix(2x1, int64_t)\n2\n3\n',
    ),
    fails('print(createList([1], [2.5]));', 1, /one type/),
    fails('print(createList(1));', 1, /a matrix/),
    fails('l = append(createList([1]), [2.5]);', 1, /one type/),
    fails('l, e = remove(createList([1]), 1);', 3, /no element 1/),
    fails('l, e = remove(createList([1]), -1);', 3),
    fails('l = remove(createList([1]), 0);', 1),
    fails('print(length([1]));', 1, /a list/),
    prints(
      'l, e = remove(createList([1]), 0); print(l); print(length(l)); print(e);',
      'List(0, DenseMatrix, int64_t)\n0\nDenseMatrix(1x1, int64_t)\n1\n',
    ),
  ],
};
