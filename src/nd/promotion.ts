import { shown, UsageError } from '../base/index.ts';
import { DTYPES, type DType, isBig, kindOf } from './dtype.ts';

/**
 * The type that two types have in common, as the Python array API standard (2024.12, "Type Promotion Rules") has it: within a kind the
 * larger one; of a signed and an unsigned integer the least signed one that holds both. Undefined where the standard leaves it
 * so: booleans with numbers, integers with floats, `u64` with signed integers.
 */
export function commonType(a: DType, b: DType): DType | undefined {
  if (a === b) return a;
  const [one, two] = [DTYPES[a], DTYPES[b]];
  if (one.kind === two.kind) return one.bytes > two.bytes ? a : b;
  if (one.kind === 'int' && two.kind === 'uint') return signedFor(a, b);
  if (one.kind === 'uint' && two.kind === 'int') return signedFor(b, a);
  return undefined;
}

const SIGNED: Readonly<Record<number, DType>> = { 1: 'i8', 2: 'i16', 4: 'i32', 8: 'i64' };

function signedFor(signed: DType, unsigned: DType): DType | undefined {
  return SIGNED[Math.max(DTYPES[signed].bytes, 2 * DTYPES[unsigned].bytes)];
}

/** The type that the operands of an operation have in common. Throws a UsageError (ERR_SHEAF_DTYPE) that names it where there is none. */
export function promoted(operation: string, types: readonly DType[]): DType {
  let common = types[0] as DType;
  for (const type of types.slice(1)) {
    const next = commonType(common, type);
    if (next === undefined) {
      throw new UsageError(`${operation}: ${common} and ${type} have no type in common; ${adviceFor(common, type)}`, {
        code: 'ERR_SHEAF_DTYPE',
        details: { operation, dtypes: [...types] },
      });
    }
    common = next;
  }
  return common;
}

function adviceFor(a: DType, b: DType): string {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('bool')) {
    const other = kinds[0] === 'bool' ? b : a;
    return `convert the booleans with astype('${other}')`;
  }
  if (kinds.includes('float')) {
    const [float, int] = kinds[0] === 'float' ? [a, b] : [b, a];
    const exact = float === 'f64' || DTYPES[int].bytes > 2 ? 'f64' : float;
    const loss = isBig(int) ? ', which is exact up to 2**53' : '';
    return `convert the integers with astype('${exact}')${loss}`;
  }
  return "no integer holds both: convert one of them, with astype('i64') where the values fit";
}

/**
 * What a JavaScript scalar becomes beside an array of type `dtype`: a value of that type. A scalar takes the type of its array and
 * never widens it; one that the type can't hold exactly, or at all, is a UsageError (ERR_SHEAF_DTYPE). Floats take any number. `makes`: there is no
 * array beside it yet that could be converted.
 */
export function scalarAs(operation: string, value: unknown, dtype: DType, makes = false): number | bigint {
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'bool') {
    if (typeof value === 'boolean') return value ? 1 : 0;
  } else if (kind === 'float') {
    if (typeof value === 'number') return dtype === 'f32' ? Math.fround(value) : value;
    if (typeof value === 'bigint') return dtype === 'f32' ? Math.fround(Number(value)) : Number(value);
  } else if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    const exact = BigInt(value);
    if (exact >= BigInt(min) && exact <= BigInt(max)) return isBig(dtype) ? exact : Number(exact);
    throw unfit(operation, value, dtype, `it holds ${min} to ${max}`);
  }
  throw unfit(operation, value, dtype, adviceForScalar(value, dtype, makes));
}

function adviceForScalar(value: unknown, dtype: DType, makes: boolean): string {
  if (typeof value === 'boolean') return `give ${Number(value)}`;
  if (typeof value === 'number' && dtype !== 'bool')
    return makes ? "give an integer, or { dtype: 'f64' }" : "convert the array with astype('f64')";
  if (typeof value === 'number' || typeof value === 'bigint') return 'give true or false, or convert the array';
  return dtype === 'bool' ? 'give true or false' : 'give a number';
}

function unfit(operation: string, value: unknown, dtype: DType, advice: string): UsageError {
  return new UsageError(`${operation}: ${shown(value)} is no ${dtype} (${DTYPES[dtype].text}); ${advice}`, {
    code: 'ERR_SHEAF_DTYPE',
    details: { operation, dtype },
  });
}
