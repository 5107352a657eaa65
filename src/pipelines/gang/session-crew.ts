import { pathToFileURL } from 'node:url';
import { packageEntry } from '../../runtime/index.ts';
import type { Buffer } from '../buffers.ts';
import type { Crew } from '../execution.ts';
import type { Pipeline } from '../pipeline.ts';
import type { SessionBuffers } from '../session-buffers.ts';
import type { Binding, TileRunner } from '../tile-runner.ts';
import type { Gang } from './gang.ts';
import type { PipelinePlan } from './pipeline-tiles.ts';
import type { Placed, RunnerModule } from './work.ts';

/** Tiles that are worth the taking of a chunk. */
const GRAIN = 2;

/** This thread and the workers of its session. */
export class SessionCrew implements Crew {
  readonly #gang: Gang;
  readonly #buffers: SessionBuffers;
  #module: RunnerModule | undefined;

  constructor(gang: Gang, buffers: SessionBuffers) {
    this.#gang = gang;
    this.#buffers = buffers;
  }

  get size(): number {
    return this.#gang.size;
  }

  run(pipeline: Pipeline, binding: Binding, buffers: readonly Buffer[], runner: TileRunner): Promise<void> | undefined {
    const { rows, tile, unit, accumulators } = pipeline;
    // What is gathered belongs to whole units.
    const piece = accumulators.length === 0 ? tile : unit;
    if (rows <= piece || this.size === 1) {
      runner.run(0, rows, 0);
      return undefined;
    }
    this.#module ??= { url: pathToFileURL(packageEntry('gang')).href, name: 'pipelineTiles' };
    const plan: PipelinePlan = { pipeline, binding };
    return this.#gang.run({
      module: this.#module,
      runner: (_chunk, from, to) => runner.run(from, to, 0),
      plan,
      region: 0,
      objects: () => this.#objects(buffers),
      chunks: this.#gang.cut(rows, piece, GRAIN * tile),
      tile: piece,
    });
  }

  /** Each object once. */
  #objects(buffers: readonly Buffer[]): readonly Placed[] {
    const objects = new Map<number, Placed>();
    for (const buffer of buffers) {
      const placed = this.#buffers.placed(buffer)?.placed;
      if (placed !== undefined) objects.set(placed.slot.index, placed);
    }
    return [...objects.values()];
  }
}
