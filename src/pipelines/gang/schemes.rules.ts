import { type ArrayScheme, InternalError } from '../../base/index.ts';

/** What the size of the next chunk may depend on. */
interface Moment {
  /** All rows. */
  readonly rows: number;
  readonly workers: number;
  /** Rows that are in no chunk yet. */
  readonly left: number;
  /** Chunks so far. */
  readonly step: number;
}

/** FISS and VISS grow in so many stages, of one chunk for each worker. */
const STAGES = 4;
/** The part of the golden ratio by which AUTO goes from one chunk for each worker towards one for each row. */
const GOLDEN = 0.618;

const firstOfStages = ({ rows, workers }: Moment): number => Math.ceil(rows / ((2 + STAGES) * workers));
const stage = ({ step, workers }: Moment): number => Math.floor(step / workers);
const guided = ({ left, workers }: Moment, by: number): number => Math.ceil(left / (by * workers));

/**
 * How rows are cut into chunks that workers take one after the other. Large chunks cost little to take, small ones end together; the schemes
 * are different bargains between the two.
 *
 * Each gives the rows of the next chunk, before it is held within the least size and what is left: `N` rows, `P` workers, `R` rows left. Names are
 * those of DAPHNE (A. Eleliemy, F. M. Ciorba, *DaphneSched*, 2023), and so are formulas; where its forerunners differ, it is said.
 */
const SIZES: Readonly<Record<ArrayScheme, (moment: Moment) => number>> = {
  /** One chunk for each worker: N/P. */
  STATIC: ({ rows, workers }) => Math.floor(rows / workers),
  /** Self-scheduling: a row (P. Tang, P.-C. Yew, ICPP 1986). */
  SS: () => 1,
  /** Guided: R/P (C. D. Polychronopoulos, D. J. Kuck, IEEE Trans. Computers 36, 1987). */
  GSS: (moment) => guided(moment, 1),
  /** Trapezoid: from N/2P down to 1 in equal steps (T. H. Tzen, L. M. Ni, IEEE TPDS 4, 1993). */
  TSS: ({ rows, workers, step }) => {
    const first = Math.ceil(rows / (2 * workers));
    const chunks = Math.ceil((2 * rows) / (first + 1));
    return chunks <= 1 ? first : first - step * Math.floor((first - 1) / (chunks - 1));
  },
  /** Factoring: each round of P chunks takes half of what is left (S. F. Hummel, E. Schonberg, L. E. Flynn, CACM 35, 1992). */
  FAC2: (moment) => Math.ceil(0.5 ** (stage(moment) + 1) * Math.floor(moment.rows / moment.workers)),
  /** Trapezoid factoring: R/2P. (A. T. Chronopoulos et al., CLUSTER 2001, take means of rounds of TSS instead.) */
  TFSS: (moment) => guided(moment, 2),
  /** Fixed increase: from N/((2+S)P) on, the same more in each of S stages (T. Philip, C. R. Das, PDCS 1997). */
  FISS: (moment) => {
    const { rows, workers } = moment;
    const more = Math.ceil((2 * rows * (1 - STAGES / (2 + STAGES))) / (workers * STAGES * (STAGES - 1)));
    return firstOfStages(moment) + stage(moment) * more;
  },
  /** Variable increase: the same beginning, and each stage adds half of what the one before has added (ibid.). */
  VISS: (moment) => Math.ceil(firstOfStages(moment) * (2 - 0.5 ** stage(moment))),
  /** Half of the rows in equal parts, the rest guided (W.-C. Shih, C.-T. Yang, S.-S. Tseng, J. Supercomputing 41, 2007). */
  PLS: (moment) => (moment.left > moment.rows / 2 ? Math.ceil(moment.rows / (2 * moment.workers)) : guided(moment, 1)),
  /** Probabilistic: R/1.5P (M. Girkar et al., Euro-Par 2006). */
  PSS: (moment) => guided(moment, 1.5),
  /** One size, which makes about as many chunks as factoring does (as modified FSC in *LB4OMP*, see AUTO). */
  MFSC: ({ rows, workers }) => {
    const share = (rows + workers - 1) / workers;
    // With a row for each worker the logarithm is 0.
    return share <= 2 ? 1 : Math.ceil((share * Math.LN2) / Math.log(share));
  },
  /** Four chunks for each worker. */
  MSTATIC: ({ rows, workers }) => Math.ceil(rows / workers / 4),
  /** One size, the golden part of the way from N/P to 1 on a logarithmic scale (J. H. Müller Korndörfer et al., *LB4OMP*, TPDS 33, 2022). */
  AUTO: ({ rows, workers }) => {
    const share = rows / workers;
    return share <= 1 ? 1 : Math.floor(rows / (2 ** (Math.floor(GOLDEN * Math.log2(share)) + 1) * workers));
  },
};

/** More chunks are of no use to anybody, and each has a word of shared memory, and accumulators of its own. */
export const MOST_CHUNKS = 8192;

/** What is to be cut, and for how many. */
export interface Cut {
  readonly rows: number;
  /** How many may take part. */
  readonly workers: number;
  /** A chunk has at least so many rows, the last one excepted. Raised where that makes more than `MOST_CHUNKS`. */
  readonly grain: number;
  /** Rows that go together: chunks are rounded up to multiples of this. */
  readonly tile: number;
}

/** The rows at which chunks begin, and the end of the last one: chunk i is [result[i], result[i + 1]). */
export function chunksOf(scheme: ArrayScheme, { rows, workers, grain, tile }: Cut): number[] {
  if (!(Number.isSafeInteger(rows) && rows >= 0)) throw new InternalError(`${rows} rows can't be cut into chunks`);
  for (const [name, value] of Object.entries({ workers, grain, tile }))
    if (!(Number.isSafeInteger(value) && value >= 1)) throw new InternalError(`${name} is ${value}; it is 1 or more`);
  const least = Math.max(grain, Math.ceil(rows / MOST_CHUNKS));
  const size = SIZES[scheme];
  const ends = [0];
  for (let at = 0; at < rows; ) {
    const next = Math.max(least, size({ rows, workers, left: rows - at, step: ends.length - 1 }));
    at = Math.min(rows, at + Math.ceil(next / tile) * tile);
    ends.push(at);
  }
  return ends;
}
