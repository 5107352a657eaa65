import { FormatError } from '../base/index.ts';

/**
 * The rules that a description can break, by name: `details.rule` of the error.
 *
 * - `object`: it is not an object. `property`: `__partitioned__` is a method. `missing`: a required key is not there.
 * - `number`: not a whole number from 0 to 2**53 - 1. `rank`: another number of axes than the container. `tiling`: no partitions along an axis.
 * - `key`: a key of `partitions` that is no position. `grid`: a position without partition, or a partition outside of the grid.
 * - `extent`: partitions of one row of the grid have different extents. `gap`, `overlap`: they leave elements out, or share some.
 * - `location`, `device`: an entry of `location` is none. `data`: no data where some has to be. `mixed`: data of several types.
 * - `locals`: positions that are not those of the process, or that are there where none may be. `get`: no function and no resolver, or
 *   its answer is not what was asked for. `ranks`: descriptions of the ranks of one container contradict each other.
 */
export type Rule =
  | 'object'
  | 'property'
  | 'missing'
  | 'number'
  | 'rank'
  | 'tiling'
  | 'key'
  | 'grid'
  | 'extent'
  | 'gap'
  | 'overlap'
  | 'location'
  | 'device'
  | 'data'
  | 'mixed'
  | 'locals'
  | 'get'
  | 'ranks';

/** A path into a description: names, keys of partitions, indices. */
export type Place = readonly (string | number)[];

/** `partitions["0,1"].start[1]`. */
export function placeText(place: Place): string {
  if (place.length === 0) return 'the description';
  return place
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`;
      if (/^[A-Za-z_]\w*$/.test(step)) return i === 0 ? step : `.${step}`;
      return i === 0 ? step : `[${JSON.stringify(step)}]`;
    })
    .join('');
}

/** An error that names the rule, the place and what is there. */
export function fault(rule: Rule, place: Place, text: string): FormatError {
  return new FormatError(`__partitioned__: ${placeText(place)} ${text}`, {
    code: 'ERR_SHEAF_PARTITIONED',
    details: { rule, at: placeText(place) },
  });
}
