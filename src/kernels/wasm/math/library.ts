import { type ElementOpName, elementOp } from '../../elementwise.ts';
import { Code, F64, type FunctionType, I32, V128, type ValueType } from '../code.ts';
import { moduleBytes } from '../module.ts';
import { Constants } from './constants.ts';
import { DEFINITIONS, type Definition } from './definitions.ts';
import { Lanes, scalarType, type Value } from './lanes.ts';
import { Exponents } from './one-power.ts';

/**
 * Functions of floats for kernels to call. Each operator is a module of its own (one for each type), made when a kernel first needs it and kept as long as
 * the thread lives, so that it is compiled once however many kernels there are. All of them share one small memory for
 * constants; that of the kernels is not theirs.
 *
 * Whatever a value stands beside, and in whichever shape it comes, its result is the same to the last bit: there is one
 * definition of each function, and floats of 32 bits are computed as doubles and rounded once.
 */

/** How many values go through a function at once: of doubles one vector (which serves single values) or two; of 32 bits one. */
export type Shape = 'f64x2' | 'f64x4' | 'f32x4';

const VECTORS: Readonly<Record<Shape, number>> = { f64x2: 1, f64x4: 2, f32x4: 1 };
/** Those that come in one module: a kernel needs the ones for single values and for lanes. */
const SHAPES: readonly (readonly Shape[])[] = [['f64x2', 'f64x4'], ['f32x4']];

const vectors = (n: number): ValueType[] => new Array<ValueType>(n).fill(V128);

export const isInLibrary = (op: ElementOpName): boolean => Object.hasOwn(DEFINITIONS, op);

/** Whether there is a faster one where the second operand is the same for all. */
export const hasPlaces = (op: ElementOpName): boolean => DEFINITIONS[op]?.ofPlace !== undefined;

/** What a kernel imports it as. `placed`: the one that takes a place instead of a second operand. */
export const nameOf = (op: ElementOpName, shape: Shape, placed = false): string =>
  placed ? `${op}.${shape}.placed` : `${op}.${shape}`;

/** Takes the vectors of the first operand, then those of the second (or a place), and returns as many as one operand has. */
export const typeOf = (op: ElementOpName, shape: Shape, placed = false): FunctionType => ({
  params: placed ? [...vectors(VECTORS[shape]), I32] : vectors(elementOp(op).arity * VECTORS[shape]),
  results: vectors(VECTORS[shape]),
});

/** What gives the place of a second operand: for a kernel to call before it runs through its elements. */
export const PLACE = 'place';
export const PLACE_TYPE: FunctionType = { params: [F64], results: [I32] };

const constants = new Constants();
const exponents = new Exponents(constants);
const made = new Map<string, Readonly<Record<string, unknown>>>();

/** The function that a kernel imports by that name. */
export function functionOf(name: string): unknown {
  if (name === PLACE) return exponents.place;
  const [op, shape, placed] = name.split('.') as [ElementOpName, Shape, string?];
  const shapes = SHAPES.find((each) => each.includes(shape)) as readonly Shape[];
  const key = nameOf(op, shapes[0] as Shape, placed !== undefined);
  let exports = made.get(key);
  if (exports === undefined) {
    exports = instanceOf(op, DEFINITIONS[op] as Definition, shapes, placed !== undefined).exports;
    made.set(key, exports);
  }
  return exports[name];
}

function instanceOf(
  op: ElementOpName,
  definition: Definition,
  shapes: readonly Shape[],
  placed: boolean,
): WebAssembly.Instance {
  const { ofPlace } = definition;
  const functions = shapes.map((shape) => {
    const code = new Code(typeOf(op, shape).results);
    if (shape === 'f32x4') narrow(code, definition, placed);
    else {
      const m = new Lanes(code, VECTORS[shape], constants);
      const x = m.param();
      if (placed && ofPlace !== undefined) m.return(ofPlace(m, x, code.param(I32), REFERENCE));
      else m.return(written(m, definition, definition.arity === 2 ? [x, m.param()] : [x]));
    }
    return { name: nameOf(op, shape, placed), code };
  });
  const imports = definition.asks ? [{ name: 'reference', type: scalarType(definition.arity) }] : [];
  const bytes = moduleBytes({ shared: false, imports, functions });
  const given = { memory: constants.memory, reference: elementOp(op).float };
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), { sheaf: given });
}

/** The reference, where it is asked, is the only function that a module imports. */
const REFERENCE = 0;

const written = (m: Lanes, definition: Definition, [x, y]: readonly Value[]): Value =>
  definition.arity === 1
    ? definition.write(m, x as Value, REFERENCE)
    : definition.write(m, x as Value, y as Value, REFERENCE);

const PROMOTE_LOW = 95;
const DEMOTE = 94;

/** One vector of floats of 32 bits, as two of doubles. */
function narrow(code: Code, definition: Definition, placed: boolean): void {
  const params = Array.from({ length: placed ? 1 : definition.arity }, () => code.param(V128));
  const at = placed ? code.param(I32) : -1;
  const local = (write: () => void): number => {
    write();
    const result = code.local(V128);
    code.set(result);
    return result;
  };
  const m = new Lanes(code, 2, constants);
  const args = params.map((param): Value => {
    const low = local(() => code.get(param).simd(PROMOTE_LOW));
    const high = local(() =>
      code.get(param, param).shuffle(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31).simd(PROMOTE_LOW),
    );
    return [low, high];
  });
  const own = definition.narrow ?? definition;
  const wide =
    placed && own.ofPlace !== undefined ? own.ofPlace(m, args[0] as Value, at, REFERENCE) : written(m, own, args);
  const [low, high] = wide.map((each) => local(() => code.get(each).simd(DEMOTE)));
  code.get(low as number, high as number).shuffle(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
}
