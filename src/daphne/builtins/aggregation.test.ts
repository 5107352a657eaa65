import { AGGREGATION } from './aggregation.ts';
import { casesOf, m, s } from './builtins.fixture.ts';

const cases = casesOf(AGGREGATION);
const nan = Number.NaN;
const a = m('f64', [
  [1, 2, 6],
  [3, 4, 5],
]);
const rows = s('si64', 0);
const columns = s('si64', 1);
const empty = m('f64', [], 2);

cases('a whole matrix becomes a scalar of its type, or a float', [
  ['sum', [a], '21'],
  ['sum', [m('ui8', [[200, 100]])], '44'],
  ['sum', [m('bool', [[1, 1]])], 'true'],
  ['sum', [m('si64', [[2n ** 62n, 2n ** 61n]])], `${2n ** 62n + 2n ** 61n}n`],
  ['aggMin', [a], '1'],
  ['aggMax', [m('si32', [[-5, -7]])], '-5'],
  ['mean', [m('si64', [[1, 2]])], '1.5'],
  ['var', [m('f64', [[1, 3]])], '1'],
  ['stddev', [m('si8', [[1], [5]])], '2'],
  ['sum', [m('str', [['a']])], 1],
  ['sum', [s('f64', 1)], 1],
]);

cases('axis 0 is one for each row, 1 for each column; others are refused', [
  ['sum', [a, rows], 'f64 2x1 [9 | 12]'],
  ['sum', [a, columns], 'f64 1x3 [4 6 11]'],
  ['mean', [a, rows], 'f64 2x1 [3 | 4]'],
  ['aggMax', [a, columns], 'f64 1x3 [3 4 6]'],
  ['idxMax', [a, rows], 'size 2x1 [2 | 2]'],
  ['idxMin', [m('si64', [[3, 1, 1]]), rows], 'size 1x1 [1]'],
  ['idxMin', [m('bool', [[1, 0]]), rows], 'size 1x1 [1]'],
  ['sum', [a, s('si64', 2)], 1],
]);

cases('NaN is passed over, but where it is the first of a row or column', [
  ['aggMin', [m('f64', [[nan, 2]])], '2'],
  [
    'aggMin',
    [
      m('f64', [
        [nan, 2],
        [2, nan],
      ]),
      rows,
    ],
    'f64 2x1 [NaN | 2]',
  ],
  [
    'idxMin',
    [
      m('f64', [
        [nan, 2],
        [3, nan],
      ]),
      rows,
    ],
    'size 2x1 [1 | 0]',
  ],
  [
    'cumMax',
    [
      m('f64', [
        [1, nan],
        [nan, 2],
        [3, 1],
      ]),
    ],
    'f64 3x2 [1 NaN | 1 NaN | 3 NaN]',
  ],
]);

cases('nothing has a sum of 0, the farthest value as an extreme, and no mean', [
  ['sum', [empty], '0'],
  ['aggMin', [empty], 'Infinity'],
  ['aggMax', [m('si8', [], 1)], '-128'],
  ['mean', [empty], 'NaN'],
  ['sum', [empty, columns], 'f64 1x2 [0 0]'],
  ['sum', [empty, rows], 'f64 0x1 []'],
  ['aggMin', [empty, columns], 'f64 1x2 [Infinity Infinity]'],
  ['idxMin', [empty, columns], 3],
]);

const groups = m('si64', [[0], [1], [0]]);
const g = m('f64', [[1], [2], [5]]);
cases('groups of rows', [
  ['sum', [g, groups, s('si64', 2)], 'f64 2x1 [6 | 2]'],
  ['aggMin', [g, groups, s('si64', 3)], 'f64 3x1 [1 | 2 | Infinity]'],
  ['mean', [g, groups, s('si64', 2)], 'f64 2x1 [3 | 2]'],
  ['var', [g, groups, s('si64', 2)], 'f64 2x1 [4 | 0]'],
  ['count', [g, groups, s('si64', 2)], 'size 2x1 [2 | 1]'],
  ['sum', [g, groups, s('si64', 1)], 3],
  ['sum', [g, a, s('si64', 1)], 2],
]);

cases('down each column', [
  ['cumSum', [a], 'f64 2x3 [1 2 6 | 4 6 11]'],
  ['cumProd', [m('si8', [[100], [2]])], 'si8 2x1 [100 | -56]'],
  ['cumMin', [m('si64', [[3], [5], [1]])], 'si64 3x1 [3 | 3 | 1]'],
  ['cumSum', [m('bool', [[0], [1], [0]])], 'bool 3x1 [0 | 1 | 1]'],
  ['cumMin', [empty], 'f64 0x2 []'],
]);
