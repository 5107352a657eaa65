import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Directory } from '../../src/protocol/index.ts';
import { Cluster } from './two-nodes/cluster.ts';
import type { Node } from './two-nodes/control-node.ts';
import type { PartyHost } from './two-nodes/party-host.ts';
import type { Handle } from './two-nodes/vocabulary.ts';

/** One random thing that a user does. */
function step(cluster: Cluster, driver: PartyHost, number: number): void {
  const { random } = cluster;
  const other = (cluster.nodes[1 - driver.node.index] as (typeof cluster.nodes)[0]).driver;
  const { handles } = driver;
  const some = (most: number): Handle[] => {
    const picked: Handle[] = [];
    for (let i = random.int(most + 1); i > 0 && handles.length > 0; i--) picked.push(random.pick(handles));
    return picked;
  };
  const one = handles.length > 0 ? random.pick(handles) : undefined;
  const what = random.int(12);
  if (one === undefined || what < 2) driver.put(number, some(2));
  else if (what < 4) driver.call('sum', number, some(2), some(2));
  else if (what < 6) driver.call('wrap', number, some(1), some(3));
  else if (what < 7) driver.call('make', number, some(1), []);
  else if (what < 8) driver.call('delegate', number, [], [one, ...some(1)]);
  else if (what < 10) driver.give(one, other);
  else if (what < 11) driver.look(one);
  else driver.dropOne(random.int(handles.length));
}

const SPAN = 400;

function program(cluster: Cluster, driver: PartyHost, steps: number): void {
  const { clock, random } = cluster;
  for (let i = 0; i < steps; i++) {
    clock.after(random.next() * SPAN, () => driver.turn(() => step(cluster, driver, 1000 * driver.address.party + i)));
  }
}

/** Everything that is still held is looked at, and then let go, until nothing is left. */
function wind(cluster: Cluster, nodes: readonly Node[]): void {
  const { clock, random } = cluster;
  const next = (): void => {
    for (const host of nodes.flatMap((node) => [...node.hosts.values()])) {
      host.turn(() => {
        const { handles } = host;
        if (handles.length === 0) return;
        const at = random.int(handles.length);
        if (random.chance(0.3)) host.look(handles[at] as Handle);
        host.dropOne(at);
      });
    }
    clock.after(1, next);
  };
  next();
}

const LIMIT = 20_000;

function runUntil(cluster: Cluster, what: string, done: () => boolean): void {
  const { clock } = cluster;
  const until = clock.now + LIMIT;
  clock.run(() => done() || clock.now > until);
  assert.ok(done(), `${what}: not after ${LIMIT} ms`);
}

function describeRest(cluster: Cluster): string {
  return JSON.stringify(
    cluster.nodes.map((node) => ({
      entries: node.directory.entries(),
      strays: node.directory.strays,
      parties: [...node.hosts.values()].map((h) => [h.party.key, h.handles.length, h.waits, h.party.owner.pending]),
    })),
  );
}

function isQuiet({ nodes }: Cluster): boolean {
  return nodes.every(
    (node) =>
      node.directory.size + node.directory.strays === 0 &&
      node.session.buffered === 0 &&
      [...node.requests.values()].every((answer) => answer !== undefined) &&
      [...node.hosts.values()].every(
        ({ party, handles, waits }) =>
          handles.length +
            waits +
            party.owner.pending +
            party.references.owned.size +
            party.references.borrowed.size ===
          0,
      ),
  );
}

describe('a second node', () => {
  test('references of one node are used on the other; the link between them closes and is dialled again (400 seeds)', () => {
    let looked = 0;
    let foreign = 0;
    let dialled = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const cluster = new Cluster(seed);
      const { clock, random, nodes } = cluster;
      const drivers = nodes.map((node) => node.driver);
      for (const driver of drivers) program(cluster, driver, 5 + random.int(40));
      for (let i = random.int(10); i > 0; i--) clock.after(random.next() * SPAN * 1.5, () => cluster.break());
      for (const node of nodes) {
        for (let i = 0; i < 5; i++) clock.after(random.next() * SPAN, () => node.ask(`${seed}.${node.id}.${i}`));
      }
      clock.after(SPAN, () => wind(cluster, nodes));
      try {
        runUntil(cluster, 'quiet', () => clock.now > SPAN && isQuiet(cluster));
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${describeRest(cluster)}`, { cause: error });
      }
      for (const node of nodes)
        assert.equal(node.executed, 5, `seed ${seed}: a request was carried out twice, or never`);
      looked += drivers[0]!.looked + drivers[1]!.looked;
      foreign += cluster.foreign;
      dialled += cluster.dialled;
    }
    const counts = `${looked} values looked at, ${foreign} of the other node, ${dialled} connections`;
    assert.ok(looked > 4000 && foreign > 1000 && dialled > 1000, counts);
  });

  test('workers of both die meanwhile: what they owned is lost, all else is right, and nothing leaks (400 seeds)', () => {
    let deaths = 0;
    for (let seed = 1001; seed <= 1400; seed++) {
      const cluster = new Cluster(seed);
      const { clock, random, nodes } = cluster;
      const drivers = nodes.map((node) => node.driver);
      for (const driver of drivers) program(cluster, driver, 5 + random.int(40));
      for (let i = random.int(6); i > 0; i--) clock.after(random.next() * SPAN * 1.5, () => cluster.break());
      for (let i = 1 + random.int(4); i > 0; i--) {
        clock.after(random.next() * SPAN, () => {
          const node = random.pick(nodes);
          const workers = [...node.hosts.values()].filter((host) => host !== node.driver && host.alive);
          if (workers.length > 0) node.kill(random.pick(workers));
        });
      }
      clock.after(SPAN, () => wind(cluster, nodes));
      try {
        runUntil(cluster, 'quiet', () => clock.now > SPAN && isQuiet(cluster));
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${describeRest(cluster)}`, { cause: error });
      }
      deaths += cluster.deadParties.size;
    }
    assert.ok(deaths > 400, `only ${deaths} workers died`);
  });

  test('a node that never comes back: whoever waits for its objects hears of it, and what it held is let go (200 seeds)', () => {
    let lost = 0;
    for (let seed = 2001; seed <= 2200; seed++) {
      const cluster = new Cluster(seed, 300);
      const { clock, random, nodes } = cluster;
      const [here, there] = nodes;
      for (const node of nodes) program(cluster, node.driver, 5 + random.int(40));
      clock.after(random.next() * SPAN, () => {
        cluster.cut = true;
        cluster.break();
        for (const host of there.hosts.values()) host.alive = false;
      });
      clock.after(SPAN, () => wind(cluster, [here]));
      try {
        runUntil(cluster, 'its death', () => here.peerDied !== undefined);
        runUntil(cluster, 'quiet', () => {
          const rest = [...here.hosts.values()].reduce(
            (n, h) => n + h.handles.length + h.waits + h.party.owner.pending,
            0,
          );
          return clock.now > SPAN && rest === 0 && here.directory.size + here.directory.strays === 0;
        });
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${describeRest(cluster)}`, { cause: error });
      }
      lost += cluster.lost;
    }
    assert.ok(lost > 50, `only ${lost} heard of it`);
  });

  test('the death of a party strikes nothing that a party of the same number on another node has added', () => {
    const [here, there] = ['00000000000000aa', '00000000000000bb'];
    const freed: string[] = [];
    const directory = new Directory<unknown>(here, {
      resolved: () => {},
      lost: () => {},
      freed: (_owner, id) => freed.push(id),
      keep: () => {},
      drop: () => {},
    });
    const id = `${here}000100000001000000000001`;
    directory.promote(id, null);
    directory.add(id, `${there}.5.1`, `${there}.3`);
    directory.remove(id, `${here}.1.1`, 1, null);
    directory.partyDying(`${here}.3.1`);
    directory.partyDied(`${here}.3.1`);
    assert.deepEqual(freed, [], 'freed although a party of the other node holds it');
  });
});
