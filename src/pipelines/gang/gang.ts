import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Encoder } from '../../codec/index.ts';
import { type ArraySettings, arraysOf, type Engine, type Prepared, packageEntry } from '../../runtime/index.ts';
import type { Brief } from './board.ts';
import { type CallRule, membersFor } from './calling.rules.ts';
import { GangRun } from './gang-run.ts';
import { chunksOf } from './schemes.rules.ts';
import type { TileWork } from './work.ts';

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
  #member: Prepared | undefined;
  /** When somebody was last called, or was heard of. */
  usedAt = Number.NEGATIVE_INFINITY;

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
