import type { Shape } from './lease.ts';

/** What a node has to lend. Units: cores, devices, bytes, and the user's own. */
export interface Capacity {
  readonly cpus: number;
  readonly gpus: number;
  readonly memory: number;
  readonly custom: Readonly<Record<string, number>>;
}

/** Why a node can never give what a task asks for; undefined when it can. */
export function impossible(shape: Shape, capacity: Capacity): string | undefined {
  const missing: string[] = [];
  const want = (name: string, needed: number, has: number): void => {
    if (needed > has) missing.push(`${name}: ${needed} wanted, ${has} here`);
  };
  want('cpus', shape.cpus, capacity.cpus);
  want('gpus', shape.gpus, capacity.gpus);
  want('memory', shape.memory, capacity.memory);
  for (const [name, amount] of Object.entries(shape.custom)) want(name, amount, capacity.custom[name] ?? 0);
  return missing.length === 0 ? undefined : missing.join('; ');
}

/** Shares are counted in whole millionths, because ten tenths must make one. */
const WHOLE = 1_000_000;

const toUnits = (amount: number): number => Math.round(amount * WHOLE);
export const fromUnits = (units: number): number => units / WHOLE;

/** A shape in counting units. */
export class Need {
  readonly cpus: number;
  /** A share of one device, or so many whole ones. */
  readonly gpuShare: number;
  readonly gpus: number;
  readonly memory: number;
  readonly custom: readonly (readonly [name: string, units: number])[];

  constructor(shape: Shape) {
    this.cpus = toUnits(shape.cpus);
    this.gpus = Math.ceil(shape.gpus);
    this.gpuShare = shape.gpus < 1 ? toUnits(shape.gpus) : WHOLE;
    this.memory = Math.ceil(shape.memory);
    this.custom = Object.entries(shape.custom).map(([name, amount]) => [name, toUnits(amount)] as const);
  }
}

/** What is free of a node's resources. Cores may be less than none: what was suspended goes on without asking. */
export class Pool {
  cpus: number;
  memory: number;
  /** Free share of each device. */
  readonly gpus: number[];
  readonly custom: Map<string, number>;

  constructor(cpus: number, memory: number, gpus: number[], custom: Map<string, number>) {
    this.cpus = cpus;
    this.memory = memory;
    this.gpus = gpus;
    this.custom = custom;
  }

  static of(capacity: Capacity): Pool {
    const custom = Object.entries(capacity.custom).map(([name, amount]): [string, number] => [name, toUnits(amount)]);
    const gpus = new Array<number>(Math.floor(capacity.gpus)).fill(WHOLE);
    return new Pool(toUnits(capacity.cpus), Math.floor(capacity.memory), gpus, new Map(custom));
  }

  copy(): Pool {
    return new Pool(this.cpus, this.memory, this.gpus.slice(), new Map(this.custom));
  }

  /** The names of what is short for a need; none when it fits. */
  short(need: Need): string[] {
    const names: string[] = [];
    if (need.cpus > 0 && need.cpus > this.cpus) names.push('cpus');
    if (need.memory > this.memory) names.push('memory');
    if (need.gpus > 0 && this.pickGpus(need) === undefined) names.push('gpus');
    for (const [name, units] of need.custom) if (units > (this.custom.get(name) ?? 0)) names.push(name);
    return names;
  }

  fits(need: Need): boolean {
    if (need.cpus > 0 && need.cpus > this.cpus) return false;
    if (need.memory > this.memory) return false;
    for (const [name, units] of need.custom) if (units > (this.custom.get(name) ?? 0)) return false;
    return need.gpus === 0 || this.pickGpus(need) !== undefined;
  }

  /** Whole devices, or the fullest one that still has room for a share. */
  pickGpus(need: Need): number[] | undefined {
    if (need.gpus === 0) return [];
    if (need.gpuShare < WHOLE) {
      let best = -1;
      for (let i = 0; i < this.gpus.length; i++) {
        const free = this.gpus[i] as number;
        if (free >= need.gpuShare && (best < 0 || free < (this.gpus[best] as number))) best = i;
      }
      return best < 0 ? undefined : [best];
    }
    const whole: number[] = [];
    for (let i = 0; i < this.gpus.length && whole.length < need.gpus; i++) if (this.gpus[i] === WHOLE) whole.push(i);
    return whole.length < need.gpus ? undefined : whole;
  }

  /** Everything but the cores, which are charged to the worker. */
  take(need: Need, gpus: readonly number[]): void {
    this.#move(need, gpus, -1);
  }

  give(need: Need, gpus: readonly number[]): void {
    this.#move(need, gpus, 1);
  }

  #move(need: Need, gpus: readonly number[], sign: 1 | -1): void {
    this.memory += sign * need.memory;
    for (const [name, units] of need.custom) this.custom.set(name, (this.custom.get(name) ?? 0) + sign * units);
    for (const gpu of gpus) this.gpus[gpu] = (this.gpus[gpu] as number) + sign * need.gpuShare;
  }
}
