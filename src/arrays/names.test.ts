import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sf from './index.ts';
import { zeros } from './index.ts';

/**
 * The functions of the Python array API standard (2024.12), the extension for linear algebra included. Left out is what belongs to
 * complex numbers (`imag`, `real`), to Python (`from_dlpack`, `__array_namespace_info__`), and to devices.
 */
const STANDARD = `
arange asarray empty empty_like eye full full_like linspace meshgrid ones ones_like tril triu zeros zeros_like
astype can_cast finfo iinfo isdtype result_type
abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift
bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot isfinite isinf
isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply negative
nextafter not_equal positive pow reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc
take take_along_axis
matmul matrix_transpose tensordot vecdot
broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack
argmax argmin count_nonzero nonzero searchsorted where
unique_all unique_counts unique_inverse unique_values
argsort sort
cumulative_prod cumulative_sum max mean min prod std sum var
all any diff
cholesky cross det diagonal eigh eigvalsh inv matrix_norm matrix_power matrix_rank outer pinv qr slogdet solve svd svdvals
trace vector_norm`;

const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
/** Words of one piece in the standard that are two. */
const SPELLED: Readonly<Record<string, string>> = { isfinite: 'isFinite', isinf: 'isInf', isnan: 'isNaN' };
const names = STANDARD.trim()
  .split(/\s+/)
  .map((name) => SPELLED[name] ?? camelCase(name));
/** Their first argument is no array, or a list of them. */
const NO_METHODS = new Set(
  'arange asarray empty eye full linspace meshgrid ones zeros canCast finfo iinfo isdtype resultType broadcastArrays concat stack'.split(
    ' ',
  ),
);
const LIKE = ['emptyLike', 'fullLike', 'onesLike', 'zerosLike'];

test('every function of the standard is there', () => {
  assert.ok(names.length > 140);
  assert.deepEqual(
    names.filter((name) => typeof (sf as Readonly<Record<string, unknown>>)[name] !== 'function'),
    [],
  );
});

test('those whose first argument is an array are methods, and so are the short names', () => {
  const x = zeros([1]) as unknown as Readonly<Record<string, unknown>>;
  const wanted = [
    ...names.filter((name) => !NO_METHODS.has(name) && !LIKE.includes(name)),
    'sub',
    'mul',
    'div',
    'neg',
    'transpose',
  ];
  assert.deepEqual(
    wanted.filter((name) => typeof x[name] !== 'function'),
    [],
  );
});

test('no method is a function that this door does not have', () => {
  const own = Object.getOwnPropertyNames(Object.getPrototypeOf(zeros([1])));
  const members =
    'constructor T mT at set data explain item persist release show toNested dtype ndim shape size toJSON toString __partitioned__'.split(
      ' ',
    );
  assert.deepEqual(
    own.filter((name) => !members.includes(name) && !(name in sf)),
    [],
  );
});
