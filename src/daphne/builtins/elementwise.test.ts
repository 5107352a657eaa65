import { casesOf, m, s } from './builtins.fixture.ts';
import { ELEMENTWISE } from './elementwise.ts';

const cases = casesOf(ELEMENTWISE);
const a = m('f64', [
  [1, 2],
  [3, 4],
]);
const i = m('si64', [
  [7, -7],
  [8, -9],
]);
const nan = Number.NaN;

cases('operands become one type, the more general one', [
  ['$add', [i, s('f64', 0.5)], 'f64 2x2 [7.5 -6.5 | 8.5 -8.5]'],
  ['$add', [i, s('bool', true)], 'si64 2x2 [8 -6 | 9 -8]'],
  ['$mul', [m('si8', [[100]]), m('ui8', [[3]])], 'ui8 1x1 [44]'],
  ['$sub', [s('si64', 1), a], 'f64 2x2 [0 -1 | -2 -3]'],
  ['$add', [m('f32', [[0.1]]), s('si64', 1)], `f32 1x1 [${Math.fround(Math.fround(0.1) + 1)}]`],
  ['$add', [m('bool', [[1, 0, 1]]), m('bool', [[1, 0, 0]])], 'bool 1x3 [1 0 1]'],
  ['$sub', [m('bool', [[1, 0, 1]]), m('bool', [[1, 1, 0]])], 'bool 1x3 [0 1 1]'],
]);

cases('a row or a column is there again and again; all pairs are not made', [
  ['$add', [a, m('f64', [[10, 20]])], 'f64 2x2 [11 22 | 13 24]'],
  ['$add', [a, m('f64', [[10], [20]])], 'f64 2x2 [11 12 | 23 24]'],
  ['$sub', [m('f64', [[10, 20]]), a], 'f64 2x2 [9 18 | 7 16]'],
  ['$add', [a, m('f64', [[1, 2, 3]])], 3],
  ['$add', [m('f64', [[1], [2]]), m('f64', [[1, 2, 3]])], 3],
  ['outerAdd', [m('f64', [[1], [2]]), m('f64', [[1, 2, 3]])], 'f64 2x3 [2 3 4 | 3 4 5]'],
  ['outerLt', [m('si64', [[1], [2]]), m('si64', [[1, 2, 3]])], 'si64 2x3 [0 1 1 | 0 0 1]'],
  ['outerAdd', [a, m('f64', [[1, 2, 3]])], 3],
  ['outerAdd', [a, s('f64', 1)], 1],
]);

cases('quotients of integers lose their fraction, towards zero; nothing is divided by zero', [
  ['$div', [i, s('si64', 2)], 'si64 2x2 [3 -3 | 4 -4]'],
  ['$div', [i, m('si64', [[2, -2]])], 'si64 2x2 [3 3 | 4 4]'],
  ['$div', [s('si64', -7), m('si64', [[2, -2]])], 'si64 1x2 [-3 3]'],
  ['$div', [m('ui8', [[200]]), m('ui8', [[7]])], 'ui8 1x1 [28]'],
  ['$div', [i, s('si64', 0)], 3],
  ['$div', [i, m('si64', [[2, 0]])], 3],
  ['$div', [a, s('f64', 0)], 'f64 2x2 [Infinity Infinity | Infinity Infinity]'],
  ['mod', [i, s('si64', 4)], 'si64 2x2 [3 -3 | 0 -1]'],
  ['mod', [m('f64', [[5.5, -5.5, -1e-20]]), s('f64', 2)], 'f64 1x3 [1.5 -1.5 -1e-20]'],
  ['pow', [i, s('si64', 2)], 'si64 2x2 [49 49 | 64 81]'],
  ['pow', [s('si64', 2), m('si64', [[10, -1]])], 'si64 1x2 [1024 0]'],
  ['log', [m('si64', [[8, 1]]), s('si64', 2)], 'f64 1x2 [3 0]'],
]);

cases('comparisons give 1 or 0 in the type of the operands; of strings, si64', [
  ['$lt', [a, s('si64', 3)], 'f64 2x2 [1 1 | 0 0]'],
  ['$eq', [i, i], 'si64 2x2 [1 1 | 1 1]'],
  ['$ge', [m('bool', [[1, 0]]), s('bool', true)], 'bool 1x2 [1 0]'],
  ['$neq', [m('f64', [[nan, 1]]), m('f64', [[nan, 1]])], 'f64 1x2 [1 0]'],
  ['$lt', [m('str', [['a', 'b']]), s('str', 'b')], 'si64 1x2 [1 0]'],
  ['$eq', [m('str', [['a'], ['b']]), m('str', [['a'], ['c']])], 'si64 2x1 [1 | 0]'],
  ['$sub', [m('str', [['a']]), s('str', 'b')], 1],
  ['$and', [a, m('f64', [[0, 1]])], 'ui64 2x2 [0 1 | 0 1]'],
  ['$or', [m('bool', [[1, 0]]), s('bool', false)], 'bool 1x2 [1 0]'],
]);

cases('the first one stays where a minimum has NaN on the right, and NaN on the left', [
  ['min', [m('f64', [[nan, 1]]), m('f64', [[1, nan]])], 'f64 1x2 [NaN 1]'],
  ['max', [m('f64', [[nan, 1]]), m('f64', [[1, nan]])], 'f64 1x2 [NaN 1]'],
  ['max', [i, s('si64', 0)], 'si64 2x2 [7 0 | 8 0]'],
]);

cases('unary operations keep the type, or make floats', [
  ['minus', [i], 'si64 2x2 [-7 7 | -8 9]'],
  ['abs', [m('ui8', [[200]])], 'ui8 1x1 [200]'],
  ['sign', [m('f64', [[-2, 0, 3, nan]])], 'f64 1x4 [-1 0 1 NaN]'],
  ['sqrt', [m('si64', [[4, 9]])], 'f64 1x2 [2 3]'],
  ['exp', [m('f32', [[0]])], 'f32 1x1 [1]'],
  [
    'round',
    [m('f64', [[0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, -0.2, 4503599627370497, Infinity]])],
    'f64 1x9 [1 2 3 -1 -3 0 -0 4503599627370497 Infinity]',
  ],
  ['floor', [m('f64', [[-1.5]])], 'f64 1x1 [-2]'],
  ['ceil', [m('si8', [[5]])], 'si8 1x1 [5]'],
  ['isNan', [m('f64', [[nan, 1]])], 'f64 1x2 [1 0]'],
  ['isNan', [i], 'si64 2x2 [0 0 | 0 0]'],
  ['minus', [m('bool', [[1, 0]])], 'bool 1x2 [1 0]'],
]);

cases('roots and logarithms of what is negative fail when they are run, and so do inverse sines beyond 1', [
  ['sqrt', [m('f64', [[4, -1]])], 3],
  ['ln', [m('si64', [[-1]])], 3],
  ['ln', [m('f64', [[0, 1]])], 'f64 1x2 [-Infinity 0]'],
  ['sqrt', [m('f64', [[nan, -0]])], 'f64 1x2 [NaN -0]'],
  ['asin', [m('f64', [[1, 0]])], `f64 1x2 [${Math.PI / 2} 0]`],
  ['acos', [m('f64', [[0, -1.1]])], 3],
  ['log', [m('f64', [[-1]]), s('f64', 2)], 'f64 1x1 [NaN]'],
]);

cases('strings are joined with numbers as C writes them, and have two cases', [
  ['concat', [m('str', [['a'], ['b']]), s('f64', 1.5)], 'str 2x1 [a1.500000 | b1.500000]'],
  ['concat', [s('str', 'x'), i], 'str 2x2 [x7 x-7 | x8 x-9]'],
  ['concat', [m('bool', [[1, 0]]), m('str', [['a', 'b']])], 'str 1x2 [1a 0b]'],
  ['upper', [m('str', [['aß', 'Bc']])], 'str 1x2 [Aß BC]'],
  ['lower', [i], 1],
  ['abs', [m('str', [['a']])], 1],
]);

cases('integers that floats become are those of x86', [
  ['pow', [m('si64', [[10, -10]]), s('si64', 30)], `si64 1x2 [${-(2n ** 63n)} ${-(2n ** 63n)}]`],
  ['mod', [m('si32', [[5]]), s('si32', 0)], `si32 1x1 [${-(2 ** 31)}]`],
]);
