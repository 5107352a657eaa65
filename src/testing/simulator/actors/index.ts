import type { Cell } from '../../../protocol/index.ts';
import { Violation } from '../values.ts';
import type { Line } from './line.ts';
import type { Node } from './node.ts';
import { Simulation } from './simulation.ts';

/**
 * Actors under random schedules: two parties create actors and call them, workers that host them die, and so may one of the two;
 * handles are let go, actors are drained. Every link is first in, first out, and nothing else is ordered. At the end nothing may
 * hang, be left, or have run out of order, or twice without leave.
 */
export interface ActorSimulation {
  readonly seed: number;
  readonly problem: string | undefined;
  readonly calls: number;
  readonly answered: number;
  readonly deaths: number;
  readonly restarts: number;
}

/** Runs one random life of some actors. */
export function simulateActors(seed: number): ActorSimulation {
  const sim = new Simulation(seed);
  const { random } = sim;
  let problem: string | undefined;
  try {
    for (let actions = random.between(20, 120); actions > 0; ) {
      if (random.chance(0.6)) {
        sim.step();
        continue;
      }
      actions--;
      const what = random.next();
      if (sim.held.length === 0 || what < 0.1) {
        if (sim.table.rows().length < 20) sim.create(random.pick(sim.drivers.filter((each) => each.alive)));
      } else if (what < 0.85) sim.call(random.pick(sim.held));
      else if (what < 0.9) sim.letGo(random.pick(sim.held));
      else if (what < 0.94) {
        const line = random.pick(sim.held);
        line.excused = true;
        line.node.control({ type: 'drain-actor', id: line.id });
      } else {
        const driver = sim.drivers[1] as Node;
        const workers = [...sim.nodes.values()].filter((each) => each.alive && !sim.drivers.includes(each));
        const victim = driver.alive && random.chance(0.05) ? driver : workers.length > 0 && random.pick(workers);
        if (!victim) continue;
        for (const line of sim.held) {
          const { lease } = line.host;
          if (lease === null || lease.worker === victim.address.party) line.excused = true;
        }
        for (const call of sim.calls)
          if (call.line.host.lease?.worker === victim.address.party) call.line.excused = true;
        if (victim.hosted !== null) victim.hosted.call.line.excused = true;
        sim.held = sim.held.filter((line) => line.node !== victim);
        sim.kill(victim);
      }
    }
    while (sim.held.length > 0) sim.letGo(sim.held[0] as Line);
    sim.settle();
    // Leases that lie idle go back.
    sim.now += 100_000;
    for (const node of sim.drivers) node.turn(() => node.party.owner.tick());
    sim.settle();
    sim.check();
  } catch (error) {
    problem = error instanceof Violation ? error.message : String((error as Error).stack);
  }
  const answered = sim.calls.filter((call) => (call.results as Cell).value === 1 || call.runs > 0).length;
  return { seed, problem, calls: sim.calls.length, answered, deaths: sim.deaths, restarts: sim.restarts };
}
