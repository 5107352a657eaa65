import { casesOf, f, m, s, v } from './builtins.fixture.ts';
import { CASTS } from './casts.ts';
import { LITERALS } from './literals.ts';

const literals = casesOf(LITERALS);
const casts = casesOf(CASTS);
const i = (n: number | bigint) => s('si64', n);
const shape = (rows: boolean, columns: boolean) => ({ shape: { rows, columns } });
const to = (data: 'matrix' | 'scalar' | 'frame' | undefined, value?: string) => ({ to: { data, value } }) as never;
const people = f({ name: ['str', 'Ann'], age: ['si64', 30] });
const numbers = f({ a: ['si64', 1, 2], b: ['f64', 0.5, 1.5] });

literals('elements become the most general of their types, in a column or in the shape that is given', [
  ['$matrix', [i(1), s('f64', 2.5), s('bool', true)], 'f64 3x1 [1 | 2.5 | 1]'],
  ['$matrix', [i(1), s('str', 'a')], 'str 2x1 [1 | a]'],
  ['$matrix', [s('bool', true), s('bool', false)], 'bool 2x1 [1 | 0]'],
  ['$matrix', [i(1), i(2), i(3), i(4), i(2), i(2)], 'si64 2x2 [1 2 | 3 4]', shape(true, true)],
  ['$matrix', [i(1), i(2), i(3), i(4), i(1)], 'si64 1x4 [1 2 3 4]', shape(true, false)],
  ['$matrix', [i(1), i(2), i(3), i(4), i(2)], 'si64 2x2 [1 2 | 3 4]', shape(false, true)],
  ['$matrix', [i(2n ** 63n - 1n)], `si64 1x1 [${2n ** 63n - 1n}]`],
  ['$matrix', [i(1), i(2), i(3), i(2)], 3, shape(true, false)],
  ['$matrix', [i(1), i(-1)], 3, shape(true, false)],
  ['$matrix', [m('si64', [[1]]), i(2)], 1],
  ['$matrix', [i(1), i(2), v('si64', 2)], 'si64 2x1 [1 | 2]', shape(true, false)],
  ['$matrix', [i(1), i(2), v('si64', 3)], 3, shape(true, false)],
]);

literals('frames by columns, and by rows', [
  [
    '$columns',
    [s('str', 'a'), m('si64', [[1], [2]]), s('str', 'b'), m('str', [['x'], ['y']])],
    'frame 2 [a:si64 1 2 | b:str x y]',
  ],
  ['$columns', [s('str', 'a'), m('si64', [[1], [2]]), s('str', 'b'), m('si64', [[1]])], 2],
  ['$columns', [s('str', 'a'), m('si64', [[1, 2]])], 2],
  ['$columns', [s('str', 'a'), m('si64', [[1]]), s('str', 'a'), m('si64', [[1]])], 3],
  ['$columns', [i(1), m('si64', [[1]])], 1],
  ['$columns', [s('str', 'a'), i(1)], 1],
  [
    '$rows',
    [s('str', 'a'), s('str', 'b'), i(1), s('f64', 1.1), i(2), i(2)],
    'frame 2 [a:si64 1 2 | b:f64 1.1 2]',
    { width: 2 },
  ],
  ['$rows', [s('str', 'a'), s('str', 'x')], 1, { width: 1 }],
  ['$rows', [s('str', 'a'), s('str', 'b'), i(1)], 1, { width: 2 }],
]);

const bits = m('si64', [[1, 0]]);
literals('a matrix chooses element by element', [
  ['$conditional', [bits, m('f64', [[1, 2]]), s('f64', 9)], 'f64 1x2 [1 9]'],
  ['$conditional', [bits, i(3), i(4)], 'si64 1x2 [3 4]'],
  ['$conditional', [m('f64', [[0.5, 0]]), m('str', [['a', 'b']]), s('str', 'c')], 'str 1x2 [a c]'],
  ['$conditional', [bits, i(3), s('f64', 4)], 1],
  ['$conditional', [bits, people, people], 1],
  ['$conditional', [bits, m('si64', [[1]]), i(4)], 3],
]);

casts('value types', [
  ['$cast', [m('f64', [[1.9, -1.9]])], 'si64 1x2 [1 -1]', to(undefined, 'si64')],
  ['$cast', [m('f64', [[300.5]])], 'ui8 1x1 [44]', to('matrix', 'ui8')],
  [
    '$cast',
    [m('f64', [[Number.NaN, 1e30, 2 ** 63]])],
    `ui64 1x3 [${2n ** 63n} ${2n ** 63n} ${2n ** 63n}]`,
    to(undefined, 'ui64'),
  ],
  ['$cast', [m('f64', [[-1]])], `ui64 1x1 [${2n ** 64n - 1n}]`, to(undefined, 'ui64')],
  ['$cast', [m('str', [['12x', ' -3.7', 'no']])], 'si64 1x3 [12 -3 0]', to(undefined, 'si64')],
  ['$cast', [m('str', [['1e2', 'inf']])], 'f64 1x2 [100 Infinity]', to(undefined, 'f64')],
  ['$cast', [m('f64', [[1.5]])], 'str 1x1 [1.500000]', to(undefined, 'str')],
  ['$cast', [m('f64', [[0.1, 0, -2]])], 'bool 1x3 [1 0 1]', to(undefined, 'bool')],
  ['$cast', [s('f64', 2.5)], '2', to(undefined, 'si64')],
  ['$cast', [numbers], 1, to(undefined, 'f64')],
]);

casts('data types', [
  ['$cast', [m('si64', [[7]])], '7', to('scalar')],
  ['$cast', [m('f64', [[7.5]])], '7', to('scalar', 'si64')],
  ['$cast', [f({ a: ['str', 'x'] })], 'x', { ...(to('scalar') as object), unknown: 1 } as never],
  ['$cast', [m('si64', [[7, 8]])], 3, to('scalar')],
  ['$cast', [people], 3, to('scalar', 'str')],
  ['$cast', [i(3)], 'f64 1x1 [3]', to('matrix', 'f64')],
  ['$cast', [i(3)], 'frame 1 [col_0:si64 3]', to('frame')],
  [
    '$cast',
    [
      m('si64', [
        [1, 2],
        [3, 4],
      ]),
    ],
    'frame 2 [col_0:si64 1 3 | col_1:si64 2 4]',
    to('frame'),
  ],
  ['$cast', [m('str', [['a', 'b']])], 'frame 1 [col_0:str a | col_1:str b]', to('frame')],
  ['$cast', [numbers], 'f64 2x2 [1 0.5 | 2 1.5]', to('matrix')],
  ['$cast', [numbers], 'si64 2x2 [1 0 | 2 1]', to('matrix', 'si64')],
  ['$cast', [people], 'str 1x2 [Ann 30]', to('matrix')],
  ['$cast', [numbers], 1, to('frame', 'f64')],
  ['$cast', [{ kind: 'list', value: 'f64', elements: [] }], 1, to('matrix')],
]);
