/**
 * Learns to read handwritten digits: all 60,000 of MNIST, in mini-batches. Tasks compute the gradients of parts of a batch, and an actor
 * holds the weights; both travel between workers only. One worker is killed midway, and the weights stay those of an undisturbed run.
 */
import { connect } from 'sheaf';
import { accuracy, read, train } from './digits/train.ts';
import { Progress } from './progress.ts';
import { kindOfWorkers, spared } from './workers.ts';

const TRAIN = 60_000;
const TEST = 10_000;
const EPOCHS = Number(process.argv[2] ?? 2);

/** Of an epoch, to show how far it is. */
const PARTS = 5;

await using session = await connect();
const workers = await kindOfWorkers();
const killing = workers === 'process';
const started = performance.now();
const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
const [digits, unseen] = [read('train'), read('t10k')];

const progress = new Progress('training', PARTS * EPOCHS);
let retried = 0;
const weights = await train({
  digits,
  count: TRAIN,
  epochs: EPOCHS,
  kill: killing ? 100 : undefined,
  onStep: (step, steps) => {
    const { retried: now = 0 } = session.stats().tasks;
    if (now > retried) progress.log('a worker was killed with its part of a batch: another one computes it again');
    retried = now;
    if (step >= ((progress.done + 1) * steps) / (PARTS * EPOCHS)) progress.step();
  },
  onEpoch: async (epoch, now) => {
    const share = await accuracy(now, unseen, TEST);
    progress.log(
      `epoch ${epoch + 1}: ${(100 * share).toFixed(2)} % of the digits never seen are read right, after ${seconds()} s`,
    );
  },
});

const share = await accuracy(weights, unseen, TEST);
console.log(`\n${(100 * share).toFixed(2)} % of ${TEST.toLocaleString('en-US')} digits right in ${seconds()} s`);
if (killing)
  console.log(`${retried} ${retried === 1 ? 'task was' : 'tasks were'} recovered: run again because a worker died`);
else console.log(spared('worker', workers));
console.log(`${(session.stats().bytesThroughDriver / 1e6).toFixed(2)} MB crossed the driver`);
