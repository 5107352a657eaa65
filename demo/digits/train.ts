import { actor, all, alloc, current, get, put, type Ref, task, wait } from 'sheaf';
import { type Digits, PIXELS, readDigits } from './mnist.ts';
import { backward, best, forward, initialWeights, newPass, WEIGHTS } from './network.ts';

const BATCH = 256;
/** Always so many parts of a batch, whatever the number of cores: sums of floats depend on their order. */
const SHARDS = 4;
const RATE = 0.2;
const MOMENTUM = 0.9;
/** Steps that are called for before the first of them is done: nobody waits for the driver. */
const AHEAD = 8;

export const read = task(readDigits, { name: 'read' });

/** Holds the weights. A step adds up the gradients of a batch and gives new weights, to whoever computes the next ones. */
const Parameters = actor(
  class Parameters {
    readonly #weights: Float32Array;
    readonly #velocity = new Float32Array(WEIGHTS);

    constructor(seed: number) {
      this.#weights = initialWeights(generator(seed));
    }

    weights(): Float32Array {
      const copy = alloc(Float32Array, WEIGHTS);
      copy.set(this.#weights);
      return copy;
    }

    step(gradients: readonly Float32Array[], rate: number): Float32Array {
      const [weights, velocity] = [this.#weights, this.#velocity];
      for (let i = 0; i < WEIGHTS; i++) velocity[i]! *= MOMENTUM;
      for (const gradient of gradients) for (let i = 0; i < WEIGHTS; i++) velocity[i]! -= rate * gradient[i]!;
      for (let i = 0; i < WEIGHTS; i++) weights[i]! += velocity[i]!;
      return this.weights();
    }
  },
);

/** The sum of the gradients for the images numbered by a part of `order`. */
const gradient = task(
  (
    weights: Float32Array,
    { images, labels }: Digits,
    order: Uint32Array,
    from: number,
    to: number,
    doomed: boolean,
  ) => {
    const sum = alloc(Float32Array, WEIGHTS);
    const pass = newPass();
    for (const image of order.subarray(from, to)) {
      forward(weights, images, image * PIXELS, pass);
      backward(weights, images, image * PIXELS, labels[image]!, pass, sum);
    }
    // Stands for what nobody plans: the worker dies, and its work is lost.
    if (doomed && current().attempt === 0) process.kill(process.pid, 'SIGKILL');
    return sum;
  },
  { name: 'gradient' },
);

/** How many of the digits in [from, to) are recognised. */
const recognised = task((weights: Float32Array, { images, labels }: Digits, from: number, to: number): number => {
  const pass = newPass();
  let right = 0;
  for (let i = from; i < to; i++) {
    forward(weights, images, i * PIXELS, pass);
    if (best(pass.probabilities) === labels[i]) right++;
  }
  return right;
});

/** The share of the digits that are recognised. */
export async function accuracy(weights: Ref<Float32Array>, digits: Ref<Digits>, count: number): Promise<number> {
  const cuts = Array.from({ length: SHARDS + 1 }, (_, i) => Math.round((i * count) / SHARDS));
  const right = await get(cuts.slice(1).map((to, i) => recognised(weights, digits, cuts[i]!, to)));
  return right.reduce((a, b) => a + b, 0) / count;
}

export interface Training {
  readonly digits: Ref<Digits>;
  readonly count: number;
  readonly epochs: number;
  /** The number of a step in which one worker is killed. */
  readonly kill?: number | undefined;
  readonly onStep?: (step: number, steps: number) => void;
  readonly onEpoch?: (epoch: number, weights: Ref<Float32Array>) => Promise<void>;
}

/** Trains a network by mini-batches: weights and gradients go from worker to worker, and never come here. */
export async function train({ digits, count, epochs, kill, onStep, onEpoch }: Training): Promise<Ref<Float32Array>> {
  await using parameters = Parameters.create(1);
  const random = generator(2);
  const perEpoch = Math.ceil(count / BATCH);
  const steps = epochs * perEpoch;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let weights = parameters.weights();
  const called = [weights];
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    using shuffled = put(order);
    for (let i = 0; i < perEpoch; i++) {
      const step = epoch * perEpoch + i;
      const end = Math.min(count, (i + 1) * BATCH);
      const cuts = Array.from(
        { length: SHARDS + 1 },
        (_, k) => i * BATCH + Math.round((k * (end - i * BATCH)) / SHARDS),
      );
      const parts = cuts
        .slice(1)
        .map((to, k) => gradient(weights, digits, shuffled, cuts[k]!, to, step === kill && k === 0));
      // Slower towards the end, where large steps would go past the goal.
      const rate = (RATE * (1 - step / steps)) / (end - i * BATCH);
      using batch = all(parts);
      weights = parameters.step(batch, rate);
      // The step that needs them holds them: what nobody will ask for here can go.
      for (const part of parts) part.release();
      called.push(weights);
      if (called.length > AHEAD) {
        using oldest = called.shift()!;
        await wait([oldest]);
      }
      onStep?.(step + 1, steps);
    }
    await onEpoch?.(epoch, weights);
  }
  await wait([weights]);
  return weights;
}

/** Fisher and Yates. */
function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const k = Math.floor(random() * (i + 1));
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
}

/** Park and Miller's generator: the same numbers every time. */
function generator(seed: number): () => number {
  let state = seed * 48271 + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
