import { casesOf, f, m, s, v } from './builtins.fixture.ts';
import { REORGANISATION } from './reorganisation.ts';

const cases = casesOf(REORGANISATION);
const i = (n: number | bigint) => s('si64', n);
const yes = s('bool', true);
const no = s('bool', false);
const x = m('si64', [
  [1, 2, 3],
  [4, 5, 6],
]);
const people = f({ name: ['str', 'Bo', 'Ann', 'Bo'], age: ['si64', 30, 40, 20] });

cases('transposes, other shapes, the other way round', [
  ['t', [x], 'si64 3x2 [1 4 | 2 5 | 3 6]'],
  ['transpose', [m('str', [['a', 'b']])], 'str 2x1 [a | b]'],
  ['t', [people], 1],
  ['reshape', [x, i(3), i(2)], 'si64 3x2 [1 2 | 3 4 | 5 6]'],
  ['reshape', [m('str', [['a', 'b']]), i(2), i(1)], 'str 2x1 [a | b]'],
  ['reshape', [x, i(2), i(2)], 3],
  ['reshape', [x, i(-1), i(2)], 3],
  ['reshape', [x, v('si64', 6), i(1)], 'si64 6x1 [1 | 2 | 3 | 4 | 5 | 6]'],
  ['reshape', [x, v('si64', -6), i(1)], 3],
  ['reverse', [x], 'si64 2x3 [4 5 6 | 1 2 3]'],
  ['reverse', [m('str', [['a'], ['b']])], 'str 2x1 [b | a]'],
  ['reverse', [people], 'frame 3 [name:str Bo Ann Bo | age:si64 20 40 30]'],
]);

cases('side by side and one below the other, in the more general type', [
  ['cbind', [x, m('f64', [[0.5], [1]])], 'f64 2x4 [1 2 3 0.5 | 4 5 6 1]'],
  ['rbind', [x, m('si8', [[7, 8, 9]])], 'si64 3x3 [1 2 3 | 4 5 6 | 7 8 9]'],
  ['cbind', [m('str', [['a'], ['b']]), m('si64', [[1], [2]])], 'str 2x2 [a 1 | b 2]'],
  ['rbind', [m('str', [['a']]), m('str', [['b']])], 'str 2x1 [a | b]'],
  ['cbind', [x, m('f64', [[0.5]])], 2],
  ['rbind', [x, m('f64', [[0.5]])], 2],
  [
    'cbind',
    [people, f({ size: ['f64', 1, 2, 3] })],
    'frame 3 [name:str Bo Ann Bo | age:si64 30 40 20 | size:f64 1 2 3]',
  ],
  ['cbind', [people, f({ age: ['f64', 1, 2, 3] })], 3],
  ['cbind', [people, f({ size: ['f64', 1] })], 2],
  [
    'rbind',
    [people, f({ name: ['str', 'Cy'], age: ['si64', 1] })],
    'frame 4 [name:str Bo Ann Bo Cy | age:si64 30 40 20 1]',
  ],
  ['rbind', [people, f({ name: ['str', 'Cy'], size: ['si64', 1] })], 3],
  ['rbind', [people, f({ name: ['str', 'Cy'], age: ['f64', 1] })], 3],
  ['rbind', [people, f({ a: ['str', 'Cy'] })], 2],
  ['cbind', [people, x], 1],
]);

const y = m('f64', [
  [2, 1],
  [1, 5],
  [2, 0],
  [1, 5],
]);
cases('rows in order, of equal ones the first one first', [
  ['order', [y, i(0), yes, no], 'f64 4x2 [1 5 | 1 5 | 2 1 | 2 0]'],
  ['order', [y, i(0), i(1), yes, yes, yes], 'size 4x1 [1 | 3 | 2 | 0]'],
  ['order', [y, i(0), i(1), no, yes, yes], 'size 4x1 [2 | 0 | 1 | 3]'],
  ['order', [people, i(0), yes, no], 'frame 3 [name:str Ann Bo Bo | age:si64 40 30 20]'],
  ['order', [people, s('str', 'age'), no, yes], 'size 3x1 [1 | 0 | 2]'],
  [
    'order',
    [
      m('str', [
        ['b', 'x'],
        ['a', 'y'],
      ]),
      i(0),
      yes,
      no,
    ],
    'str 2x2 [a y | b x]',
  ],
  ['order', [m('bool', [[1], [0]]), i(0), yes, yes], 'size 2x1 [1 | 0]'],
  ['order', [y, i(2), yes, no], 3],
  ['order', [people, s('str', 'size'), yes, no], 2],
  ['order', [y, i(0), i(1), yes, no], 1],
  ['order', [y, i(0), v('bool', false), no], 'f64 4x2 [2 1 | 2 0 | 1 5 | 1 5]'],
  ['order', [y, i(0), yes, v('bool', false)], 1],
]);
