import { axisOf, promoted, shapeText } from '../../nd/index.ts';
import { badShapes } from '../checks.ts';
import { arraysOf, made, type Parts, roomOf, shapeOf, typed } from './parts.ts';

/** Matrices one below the other, or beside each other. */
export function stacked(given: readonly Parts[], along: number | undefined): Parts {
  const shapes = given.map(shapeOf);
  const first = given[0] as Parts;
  const axis = axisOf('concat', along ?? 0, shapeOf(first));
  if (shapes.some((shape) => shape[1 - axis] !== shapes[0]?.[1 - axis])) {
    throw badShapes(
      'concat',
      `the shapes ${shapes.map(shapeText).join(' and ')} differ elsewhere than in axis ${axis}, along which they are put together`,
      ...shapes,
    );
  }
  const dtype = promoted(
    'concat',
    given.map((each) => each.dtype),
  );
  const all = given.map((each) => typed(each, dtype));
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const length = sum(shapes.map((shape) => shape[axis] as number));
  const shape: [number, number] = axis === 0 ? [length, first.columns] : [first.rows, length];
  const type = { dtype, room: sum(all.map(roomOf)), count: undefined, counts: true };
  const columns = all.map((each) => each.columns);
  return made('csrStack', all.flatMap(arraysOf), { axis, columns }, shape, type);
}
