import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Encoder } from '../../codec/index.ts';
import { type ArraySettings, arraysOf, type Engine, type Prepared, packageEntry } from '../../runtime/index.ts';
import type { Brief } from './board.ts';
import { ADDED, type CallRule, type Left, membersFor } from './calling.rules.ts';
import { GangRun, type Member } from './gang-run.ts';
import { chunksOf } from './schemes.rules.ts';
import type { TileWork } from './work.ts';

/** One in so many measured runs says what a further thread adds to the streams of one. */
const MEMORY = 8;
/** One in so many runs that would gain if further threads added all is tried together, whatever was measured: machines have good and bad days. */
const TRY = 24;

/** What members are called, where people see tasks. */
const NAME = 'array tiles';

/**
 * Those who compute arrays together for one thread: itself, and workers that the session's scheduler grants. Members are ordinary tasks
 * that take a core each, so arrays and tasks never want more cores than there are.
 */
export class Gang {
  readonly engine: Engine;
  readonly settings: ArraySettings;
  /** NUMA domains. */
  readonly groups = domains();
  readonly #encoder = new Encoder({ isRef: () => false });
  readonly #common = new WeakMap<object, Uint8Array>();
  #member: Prepared | undefined;
  #added: number | undefined;
  #refused = 0;
  /** Those who were called and are not over. */
  readonly members = new Set<Member>();
  /** When somebody was last called, or was heard of. */
  usedAt = Number.NEGATIVE_INFINITY;
  /** When there was last something that they might have been called for. */
  askedAt = Number.NEGATIVE_INFINITY;

  /** How many are called, and when. */
  readonly calls: CallRule;

  constructor(engine: Engine, settings: ArraySettings, calls: CallRule = membersFor) {
    this.engine = engine;
    this.calls = calls;
    this.settings = settings;
  }

  /** That of an engine; undefined where there are no workers, or nothing that they and this thread both see. */
  static of(engine: Engine): Gang | undefined {
    let gang = gangs.get(engine);
    if (gang === undefined) {
      const settings = arraysOf(engine);
      if (settings === undefined) return undefined;
      gang = new Gang(engine, settings);
      gangs.set(engine, gang);
    }
    return gang;
  }

  /** How many may take part, this thread included. */
  get size(): number {
    return Math.max(1, this.settings.cpus);
  }

  /** The chunks of so many rows, by the scheme of the session. `grain`: rows that are worth the taking of a chunk. */
  cut(rows: number, tile: number, grain: number): number[] {
    return chunksOf(this.settings.scheme, { rows, workers: this.size, tile, grain: this.settings.grain ?? grain });
  }

  /**
   * Computes all rows. This thread begins at once, and others are called when what is left is worth it; what is done by then is done.
   * Nothing is returned when that was all.
   */
  run(work: TileWork): Promise<void> | undefined {
    return new GangRun(this, work).run();
  }

  /** How many wait to be given more. */
  get waiting(): number {
    let count = 0;
    for (const member of this.members) if (member.run.isWaiting(member)) count++;
    return count;
  }

  /** How many are to be called. */
  called(left: Omit<Left, 'added'>): number {
    const members = this.calls({ ...left, added: this.#added ?? ADDED.before });
    if (members > 0) return members;
    const hoped = this.calls({ ...left, added: ADDED.most });
    return hoped > 0 && ++this.#refused % TRY === 0 ? hoped : 0;
  }

  /** What a further thread has added to the streams of one in some run. */
  learn(added: number): void {
    this.#added = this.#added === undefined ? added : this.#added + (added - this.#added) / MEMORY;
  }

  /** What is common to all runs of some work, as bytes. */
  common(of: object | undefined): Uint8Array {
    if (of === undefined) return NOTHING;
    let bytes = this.#common.get(of);
    if (bytes === undefined) {
      const encoded = this.#encoder.encode(of, 'pipeline', Number.MAX_SAFE_INTEGER);
      // A copy: `slice` of a Buffer is none.
      bytes = new Uint8Array(encoded.bytes.subarray(0, encoded.length));
      this.#common.set(of, bytes);
    }
    return bytes;
  }

  /** A brief for members, as bytes that are good until the next one. */
  encoded(brief: Brief): Uint8Array {
    const { bytes, length } = this.#encoder.encode(brief, 'pipeline', Number.MAX_SAFE_INTEGER);
    return bytes.subarray(0, length);
  }

  /** The task that members are. */
  get member(): Prepared {
    this.#member ??= this.engine.prepare(memberSpec(), {
      name: NAME,
      // The shape of a plain task, so that they take turns on the same leases. Not exclusive, although no death is made up for by
      // running one again: what it had taken is done by others.
      shape: { cpus: 1, gpus: 0, memory: 0, custom: {}, isolation: this.engine.isolation, exclusive: false },
      retries: 0,
      retryErrors: false,
      timeout: 0,
      returns: 0,
      copy: false,
      maxCalls: 0,
      ahead: 0,
      maxPending: Number.POSITIVE_INFINITY,
      internal: true,
    });
    return this.#member;
  }
}

const NOTHING = new Uint8Array(0);

const gangs = new WeakMap<Engine, Gang>();

function memberSpec() {
  const url = pathToFileURL(packageEntry('gang')).href;
  const exportName = 'tiles';
  return {
    digest: createHash('sha256').update(`${url}\n${exportName}`).digest('hex'),
    name: exportName,
    kind: 'function',
    synchronous: false,
    source: { kind: 'module', url, exportName },
  } as const;
}

let known: number | undefined;

function domains(): number {
  if (known !== undefined) return known;
  try {
    known = Math.max(1, readdirSync('/sys/devices/system/node').filter((name) => /^node\d+$/.test(name)).length);
  } catch {
    known = 1;
  }
  return known;
}
