import type { Concurrency } from '../../../protocol/index.ts';
import type { Random } from '../random.ts';
import type { Call } from './call.ts';
import type { Node } from './node.ts';

const GROUPS = [{ methods: ['read', 'list'], concurrency: 2 }];

/** What is true of an actor, whoever knows it; or of what was to be one, and is another one. */
export class Actor {
  readonly id: string;
  readonly owner: Node;
  readonly host: Call;
  readonly name: string | null;
  readonly limits: Concurrency;
  /** Calls of its method `together` are handled together, at most so many; 0: they are not. */
  readonly batch: number;
  readonly methods: readonly string[];
  /** It has something to do at its end. */
  readonly disposes: boolean;
  /** Why its calls may fail. */
  excuse: string | undefined;
  /** Its worker has been told to end it; how many words that somebody calls an actor had come from each party by then. */
  retired: Map<Node, number> | null = null;

  constructor(id: string, host: Call, name: string | null, random: Random) {
    this.id = id;
    this.owner = host.from;
    this.host = host;
    this.name = name;
    const grouped = random.chance(0.5);
    this.batch = random.pick([0, 0, 1, 3]);
    this.limits = { concurrency: random.pick([1, 1, 3]), groups: grouped ? GROUPS : [] };
    this.methods = ['plain', ...(grouped ? ['read', 'list'] : []), ...(this.batch > 0 ? ['together'] : [])];
    this.disposes = random.chance(0.7);
    host.hosts = this;
  }

  /** 0: that of all methods that are in none. */
  groupOf(method: string): number {
    return this.limits.groups.findIndex(({ methods }) => methods.includes(method)) + 1;
  }

  limitOf(group: number): number {
    return group === 0 ? this.limits.concurrency : (this.limits.groups[group - 1]?.concurrency as number);
  }
}
