import { UsageError } from '../../base/index.ts';
import { type Routine, sameType, shapeError } from './routine.ts';

/**
 * The elements of the first input, of one axis, with those of the third one at the places that the second one has, an i64; of a place that is named
 * several times, the last element.
 */
const scatter: Routine = {
  outputs([x, places, values]) {
    sameType('scatter', x!, values!);
    if (x!.shape.length !== 1 || places!.shape.length !== 1 || values!.shape[0] !== places!.shape[0])
      throw shapeError(
        'scatter',
        'it takes lists, with a value for each place',
        x!.shape,
        places!.shape,
        values!.shape,
      );
    return [{ shape: x!.shape, dtype: x!.dtype }];
  },
  run([x, places, values], _, [into]) {
    const [from, to] = [values!.elements, into!.elements];
    to.set(x!.elements as never);
    const length = BigInt(to.length);
    for (const [i, place] of (places!.elements as BigInt64Array).entries()) {
      if (place < 0n || place >= length) {
        throw new UsageError(`scatter: there is no place ${place} in a list of ${length}; give 0 to ${length - 1n}`, {
          code: 'ERR_SHEAF_INDEX',
          details: { operation: 'scatter', index: String(place), length: Number(length) },
        });
      }
      to[Number(place)] = from[i] as never;
    }
  },
};

export const SCATTERING = { scatter } as const;
