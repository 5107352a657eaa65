/**
 * An agent learns tic-tac-toe by playing against itself. Its knowledge is a table: the worth of each position for the one who has
 * just moved. In each round, tasks play games with the table as it is, and an actor that holds the table learns from all of them
 * (Monte Carlo policy iteration, in its smallest form). Before each round, the agent plays a tournament against an opponent
 * that always plays the same way: wins if it can, blocks if it must, moves at random otherwise.
 *
 *   sheaf run examples/tournament.ts [rounds] [seed]
 */
import { actor, all, connect, get, type Ref, task } from 'sheaf';

const PLAYERS = 4;
const GAMES = 500;
const MATCHES = 500;
/** How often an agent that learns tries something else than what it thinks best. */
const CURIOSITY = 0.2;

/** Nine characters: `x`, `o`, or a dot. */
type Board = string;
type Worths = ReadonlyMap<Board, number>;
type Random = () => number;
type Player = (board: Board, mark: string, random: Random) => Board;

const LINES = ['012', '345', '678', '036', '147', '258', '048', '246'].map((line) => [...line].map(Number));

const hasWon = (board: Board, mark: string) => LINES.some((line) => line.every((i) => board[i] === mark));
const other = (mark: string) => (mark === 'x' ? 'o' : 'x');
const any = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)]!;

function moves(board: Board, mark: string): Board[] {
  const after: Board[] = [];
  for (let i = 0; i < 9; i++) if (board[i] === '.') after.push(board.slice(0, i) + mark + board.slice(i + 1));
  return after;
}

/** Goes where it thinks it is best off; positions that it has never seen are worth nothing, good or bad. */
const learner =
  (worths: Worths, curiosity: number): Player =>
  (board, mark, random) => {
    const after = moves(board, mark);
    if (random() < curiosity) return any(after, random);
    const best = Math.max(...after.map((next) => worths.get(next) ?? 0));
    return any(
      after.filter((next) => (worths.get(next) ?? 0) === best),
      random,
    );
  };

const opponent: Player = (board, mark, random) => {
  const after = moves(board, mark);
  const wins = after.find((next) => hasWon(next, mark));
  const blocks = after.find((_, i) => hasWon(moves(board, other(mark))[i]!, other(mark)));
  return wins ?? blocks ?? any(after, random);
};

/** The positions of a game, in turn, and who has won it. */
function play(x: Player, o: Player, random: Random): { boards: Board[]; winner: string | undefined } {
  const boards: Board[] = [];
  let board = '.........';
  for (let turn = 0; turn < 9; turn++) {
    const mark = turn % 2 === 0 ? 'x' : 'o';
    board = (mark === 'x' ? x : o)(board, mark, random);
    boards.push(board);
    if (hasWon(board, mark)) return { boards, winner: mark };
  }
  return { boards, winner: undefined };
}

/** Park and Miller's generator: the same numbers for the same seed. */
function generator(seed: number): Random {
  let state = (seed * 48271) % 2147483647 || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** For each position that came up: how often, and the sum of what became of the one who had moved there. */
type Experience = Map<Board, [times: number, sum: number]>;

const selfPlay = task((worths: Worths, games: number, seed: number): Experience => {
  const random = generator(seed);
  const self = learner(worths, CURIOSITY);
  const seen: Experience = new Map();
  for (let game = 0; game < games; game++) {
    const { boards, winner } = play(self, self, random);
    for (const [turn, board] of boards.entries()) {
      const mark = turn % 2 === 0 ? 'x' : 'o';
      const [times, sum] = seen.get(board) ?? [0, 0];
      seen.set(board, [times + 1, sum + (winner === undefined ? 0 : winner === mark ? 1 : -1)]);
    }
  }
  return seen;
});

/** Games against the opponent, begun by both in turn: what share of them the agent did not lose. */
const match = task((worths: Worths, games: number, seed: number): number => {
  const random = generator(seed);
  const agent = learner(worths, 0);
  let lost = 0;
  for (let game = 0; game < games; game++) {
    const begins = game % 2 === 0;
    const { winner } = begins ? play(agent, opponent, random) : play(opponent, agent, random);
    if (winner === (begins ? 'o' : 'x')) lost++;
  }
  return 1 - lost / games;
});

const Table = actor(
  class Table {
    readonly #worths = new Map<Board, number>();

    worths(): Worths {
      return this.#worths;
    }

    learn(all: readonly Experience[]): Worths {
      for (const seen of all) {
        for (const [board, [times, sum]] of seen) {
          const worth = this.#worths.get(board) ?? 0;
          // The more often it was seen, the more it counts; what was learned with a worse table fades.
          this.#worths.set(board, worth + (sum / times - worth) * (1 - 0.98 ** times));
        }
      }
      return this.#worths;
    }
  },
);

const rounds = Number(process.argv[2] ?? 12);
const seed = Number(process.argv[3] ?? 1);
if (!(rounds > 0 && Number.isInteger(seed))) {
  console.error('usage: sheaf run tournament.ts [rounds] [seed]');
  process.exit(2);
}
await using _session = await connect();
await using table = Table.create();

// All rounds are called for at once: each table goes from the actor to the players of the next round, and never comes here.
let worths: Ref<Worths> = table.worths();
const scores = [match(worths, MATCHES, seed)];
for (let round = 1; round <= rounds; round++) {
  const games = Array.from({ length: PLAYERS }, (_, i) => selfPlay(worths, GAMES, seed + round * PLAYERS + i));
  worths = table.learn(all(games));
  scores.push(match(worths, MATCHES, seed));
}

console.log('games learned from   not lost, of 500 games against the opponent');
for (const [round, score] of (await get(scores)).entries()) {
  const bar = '#'.repeat(Math.round(score * 50));
  console.log(`${String(round * PLAYERS * GAMES).padStart(18)}   ${bar} ${(100 * score).toFixed(1)} %`);
}
