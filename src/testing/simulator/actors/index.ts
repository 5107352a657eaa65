import { Violation } from '../values.ts';
import { Simulation } from './simulation.ts';

/**
 * Actors under random schedules. Drivers, tasks and methods create actors, get them by name, pass them on and call them; workers
 * die, and so may a driver; handles are let go, actors are drained. Every link is first in, first out, and nothing else is ordered.
 * At the end nothing may hang, be left, or have run out of order, or once more than it may.
 */
export interface ActorSimulation {
  readonly seed: number;
  readonly problem: string | undefined;
  readonly calls: number;
  /** Of them, those that were made on workers. */
  readonly onWorkers: number;
  readonly begun: number;
  readonly deaths: number;
  readonly restarts: number;
  /** Actors that were got by their name. */
  readonly joins: number;
  /** 1: the session has ended in the middle, and actors had something to do then. */
  readonly ends: number;
}

/** Runs one random life of some actors. */
export function simulateActors(seed: number): ActorSimulation {
  const sim = new Simulation(seed);
  const { control } = sim;
  let ends = 0;
  let problem: string | undefined;
  try {
    for (let actions = sim.random.between(20, 120); actions > 0; ) {
      if (sim.random.chance(0.7)) sim.step();
      else {
        actions--;
        act(sim);
      }
    }
    if (sim.random.chance(0.25)) ends = sim.end() ? 1 : 0;
    else {
      sim.settle();
      sim.tick();
      sim.settle();
      sim.check();
    }
  } catch (error) {
    problem = error instanceof Violation ? error.message : String((error as Error).stack);
  }
  const calls = sim.calls.filter(({ line }) => line !== null);
  return {
    seed,
    problem,
    calls: calls.length,
    onWorkers: calls.filter(({ from }) => !control.drivers.includes(from)).length,
    begun: calls.filter(({ runs }) => runs > 0).length,
    deaths: control.deaths,
    restarts: sim.restarts,
    joins: control.joins,
    ends,
  };
}

/** Something that a program does, or that happens to one. */
function act(sim: Simulation): void {
  const { random, control } = sim;
  const what = random.next();
  const drivers = control.drivers.filter(({ alive }) => alive);
  if (sim.held.length === 0 || what < 0.12) {
    if (sim.roomForMore) sim.held.push(sim.create(random.pick(drivers)));
  } else if (what < 0.7) sim.call(random.pick(sim.held));
  else if (what < 0.83) sim.task(random.pick(drivers));
  else if (what < 0.9) sim.letGo(random.pick(sim.held));
  else if (what < 0.94) sim.drain(random.pick(sim.held));
  else sim.killOne();
}
