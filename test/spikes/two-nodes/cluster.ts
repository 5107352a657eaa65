import type { Address } from '../../../src/protocol/index.ts';
import { Random } from '../../../src/testing/simulator/random.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { MemoryLink, SessionLink } from '../../../src/transport/index.ts';
import { Node, NUMBERS } from './control-node.ts';
import type { PartyHost } from './party-host.ts';

/** Two nodes, time and chance. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly nodes: readonly [Node, Node];
  readonly deadParties = new Set<string>();
  /** Who has each number, or had it last. */
  readonly addresses = new Map<number, Address>();
  live: MemoryLink[] = [];
  /** Nothing can be dialled. */
  cut = false;
  dialled = 0;
  /** Values of the other node's objects that somebody looked at, and failures instead. */
  foreign = 0;
  lost = 0;

  constructor(seed: number, giveUpMs = 1e9) {
    this.random = new Random(seed);
    const common = { incarnation: 1, after: this.clock.after, giveUpMs, acknowledgeAfter: 4 };
    const accepting = new SessionLink(common);
    const dialling = new SessionLink({ ...common, dial: () => this.#dial(accepting) });
    this.nodes = [new Node(this, 0, '00000000000000aa', dialling), new Node(this, 1, '00000000000000bb', accepting)];
    for (const node of this.nodes) node.start(this.nodes[1 - node.index] as Node);
  }

  #dial(to: SessionLink): MemoryLink | undefined {
    if (this.cut || this.random.chance(0.2)) return undefined;
    this.dialled++;
    const [here, there] = MemoryLink.pair({ later: (run) => void this.clock.after(this.random.int(10), run) });
    this.live.push(here);
    this.clock.after(this.random.int(5), () => to.attach(there));
    return here;
  }

  break(): void {
    for (const link of this.live.splice(0)) link.break();
  }

  partyAt(number: number): PartyHost | undefined {
    return this.nodes[Math.floor(number / NUMBERS) as 0 | 1].hosts.get(number);
  }
}
