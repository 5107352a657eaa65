import { casesOf, f, m, s, v } from './builtins.fixture.ts';
import { INDEXING } from './indexing.ts';

const cases = casesOf(INDEXING);
const i = (n: number | bigint) => s('si64', n);
const x = m('si64', [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
]);
const people = f({ name: ['str', 'Ann', 'Bo', 'Cy'], age: ['si64', 30, 40, 50], 'p.pay': ['f64', 1, 2, 3] });
const sides = (rows: string, columns: string) => ({ sides: [rows, columns] }) as never;

cases('positions keep the type, count from the end, and lose their fraction', [
  ['$index', [x, i(1), i(2)], 'si64 1x1 [6]', sides('position', 'position')],
  ['$index', [x, i(-1)], 'si64 1x3 [7 8 9]', sides('position', 'all')],
  ['$index', [x, s('f64', 1.9)], 'si64 3x1 [2 | 5 | 8]', sides('all', 'position')],
  ['$index', [x, s('f64', -3.7)], 'si64 1x3 [1 2 3]', sides('position', 'all')],
  ['$index', [x], 'si64 3x3 [1 2 3 | 4 5 6 | 7 8 9]', sides('all', 'all')],
  ['$index', [x, i(3)], 2, sides('position', 'all')],
  ['$index', [x, i(-4)], 2, sides('all', 'position')],
  ['$index', [i(1), i(0)], 1, sides('position', 'all')],
  ['$index', [m('str', [['a', 'b']]), i(-1)], 'str 1x1 [b]', sides('all', 'position')],
]);

cases('ranges: their end is not in them, and counts from the end like their start', [
  ['$index', [x, i(0), i(2)], 'si64 2x3 [1 2 3 | 4 5 6]', sides('range', 'all')],
  ['$index', [x, i(-1)], 'si64 2x3 [1 2 3 | 4 5 6]', sides('to', 'all')],
  ['$index', [x, i(-1)], 'si64 1x3 [7 8 9]', sides('from', 'all')],
  ['$index', [x, i(-2), i(0)], 'si64 3x2 [2 3 | 5 6 | 8 9]', sides('all', 'range')],
  ['$index', [x, i(1), i(1)], 'si64 0x3 []', sides('range', 'all')],
  ['$index', [x, i(-2), i(3), i(1)], 'si64 2x1 [4 | 7]', sides('range', 'to')],
  ['$index', [x, i(3)], 2, sides('from', 'all')],
  ['$index', [x, i(2), i(1)], 2, sides('range', 'all')],
  ['$index', [x, i(0), i(4)], 2, sides('all', 'range')],
  ['$index', [x, s('str', 'a'), i(4)], 1, sides('all', 'range')],
]);

cases('lists of positions: any order, repeated, from the end, none at all', [
  ['$index', [x, m('si64', [[2], [0], [-1]])], 'si64 3x3 [7 8 9 | 1 2 3 | 7 8 9]', sides('position', 'all')],
  ['$index', [x, m('f64', [[1.5]])], 'si64 3x1 [2 | 5 | 8]', sides('all', 'position')],
  ['$index', [x, m('si64', [], 1)], 'si64 0x3 []', sides('position', 'all')],
  ['$index', [x, m('size', [[1]]), m('si64', [[2], [0]])], 'si64 1x2 [6 4]', sides('position', 'position')],
  ['$index', [x, m('si64', [[3]])], 3, sides('position', 'all')],
  ['$index', [x, m('si64', [[2n ** 32n]])], 3, sides('position', 'all')],
  ['$index', [x, m('si64', [[0, 1]])], 3, sides('position', 'all')],
  ['$index', [m('str', [['a'], ['b']]), m('si64', [[1], [1]])], 'str 2x1 [b | b]', sides('position', 'all')],
]);

cases('columns of frames have labels', [
  ['$index', [people, s('str', 'age')], 'frame 3 [age:si64 30 40 50]', sides('all', 'position')],
  [
    '$index',
    [people, m('si64', [[2], [0]]), m('str', [['age'], ['name']])],
    'frame 2 [age:si64 50 30 | name:str Cy Ann]',
    sides('position', 'position'),
  ],
  ['$index', [people, i(-1), i(0)], 'frame 1 [name:str Cy]', sides('position', 'position')],
  ['$index', [people, i(1), i(1)], 'frame 2 [age:si64 40 50 | p.pay:f64 2 3]', sides('from', 'from')],
  ['$index', [people, s('str', 'p.*')], 'frame 3 [p.pay:f64 1 2 3]', sides('all', 'position')],
  ['$index', [people, s('str', 'size')], 2, sides('all', 'position')],
  ['$index', [people, s('str', 'age')], 1, sides('position', 'all')],
  ['$index', [x, s('str', 'age')], 1, sides('all', 'position')],
  ['$index', [people, m('si64', [[0], [0]])], 3, sides('all', 'position')],
]);

const bits = m('si64', [[1], [0], [1]]);
cases('filters have a bit for each', [
  ['$filter', [x, bits], 'si64 2x3 [1 2 3 | 7 8 9]', sides('position', 'all')],
  ['$filter', [x, m('bool', [[0], [0], [0]])], 'si64 0x3 []', sides('position', 'all')],
  ['$filter', [x, bits, m('f64', [[0], [1], [0]])], 'si64 2x1 [2 | 8]', sides('position', 'position')],
  ['$filter', [people, bits], 'frame 2 [name:str Ann Cy | age:si64 30 50 | p.pay:f64 1 3]', sides('position', 'all')],
  ['$filter', [people, bits], 1, sides('all', 'position')],
  ['$filter', [x, m('si64', [[1], [0]])], 3, sides('position', 'all')],
  ['$filter', [x, m('si64', [[1, 0, 1]])], 3, sides('all', 'position')],
  ['$filter', [x, i(1)], 1, sides('position', 'all')],
]);

cases('parts are set to matrices of their shape and type', [
  ['$assign', [x, m('si64', [[0]]), i(1), i(1)], 'si64 3x3 [1 2 3 | 4 0 6 | 7 8 9]', sides('position', 'position')],
  ['$assign', [x, m('si64', [[0, 0, 0]]), i(-1)], 'si64 3x3 [1 2 3 | 4 5 6 | 0 0 0]', sides('position', 'all')],
  [
    '$assign',
    [
      x,
      m('si64', [
        [-1, -2],
        [-3, -4],
      ]),
      i(1),
      i(2),
    ],
    'si64 3x3 [1 2 3 | -1 -2 6 | -3 -4 9]',
    sides('from', 'to'),
  ],
  ['$assign', [x, m('f64', [[5]])], 'f64 1x1 [5]', sides('all', 'all')],
  ['$assign', [m('str', [['a', 'b']]), m('str', [['c']]), i(1)], 'str 1x2 [a c]', sides('all', 'position')],
  ['$assign', [x, m('si64', [[0, 0]]), i(1), i(1)], 3, sides('position', 'position')],
  ['$assign', [x, m('f64', [[0]]), i(1), i(1)], 1, sides('position', 'position')],
  ['$assign', [x, i(0), i(1), i(1)], 1, sides('position', 'position')],
  ['$assign', [x, m('si64', [[0], [0]]), m('si64', [[0], [1]]), i(0)], 1, sides('position', 'position')],
  ['$assign', [people, m('si64', [[0]]), i(0), i(1)], 1, sides('position', 'position')],
  ['$assign', [x, m('si64', [[0]]), i(3), i(1)], 3, sides('position', 'position')],
]);

cases('what only the run knows fails when it runs', [
  ['$index', [x, v('si64', 3)], 3, sides('position', 'all')],
  ['$index', [x, v('f64', -1.5)], 'si64 1x3 [7 8 9]', sides('position', 'all')],
  ['$index', [x, v('si64', 1), v('si64', -1)], 'si64 1x3 [4 5 6]', sides('range', 'all')],
  ['$index', [x, v('si64', 2), v('si64', 1)], 3, sides('range', 'all')],
  ['$index', [people, v('str', 'age')], 'frame 3 [age:si64 30 40 50]', sides('all', 'position')],
  ['$index', [people, v('str', 'size')], 3, sides('all', 'position')],
  ['$assign', [x, m('si64', [[0, 0, 0]]), v('si64', 0), v('si64', 2)], 3, sides('range', 'all')],
]);
