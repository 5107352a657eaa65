import type { FromControl, Item, Reply, StreamStart, TaskRecord, ToControl } from '../../protocol/index.ts';
import type { TaskSpec } from './program.ts';
import type { Payload } from './values.ts';

export interface PushedArgument {
  readonly payload: Payload;
  readonly inner: readonly string[];
}

export const SENT = 0;
export const DELIVERED = 1;
export const CLAIMED = 2;
export const RECALLED = 3;

/** A task on its way. The state is one word in shared memory, so that claiming and recalling exclude each other. */
export interface Push {
  readonly slot: number;
  readonly ticket: number;
  readonly spec: TaskSpec;
  readonly attempt: number;
  readonly depth: number;
  readonly exclusive: boolean;
  readonly key: number;
  readonly args: readonly PushedArgument[];
  readonly stream: StreamStart | null;
  state: typeof SENT | typeof DELIVERED | typeof CLAIMED | typeof RECALLED;
  /** For checks only. */
  readonly task: TaskRecord;
}

export type Message =
  | { readonly to: 'control'; readonly message: ToControl<Payload> }
  | { readonly to: 'party'; readonly message: FromControl<Payload> }
  | { readonly to: 'worker'; readonly push: Push }
  | { readonly to: 'cancel'; readonly slot: number; readonly sequence: number }
  | { readonly to: 'acknowledge'; readonly receipt: number }
  | { readonly to: 'more'; readonly slot: number; readonly sequence: number; readonly taken: number }
  | { readonly to: 'yielded'; readonly slot: number; readonly index: number; readonly payload: Payload }
  | { readonly to: 'item'; readonly item: Item<Payload> }
  | { readonly to: 'completed'; readonly slot: number; readonly micros: number; readonly payload: Payload }
  | { readonly to: 'reply'; readonly reply: Reply<Payload> };

export function describe(m: Message): string {
  switch (m.to) {
    case 'control':
    case 'party': {
      const { type, ...rest } = m.message as { type: string };
      return `${type} ${JSON.stringify(rest, (key, value) => (key === 'payload' ? undefined : value))}`;
    }
    case 'worker':
      return `push slot ${m.push.slot} task ${m.push.spec.seed} attempt ${m.push.attempt}`;
    case 'reply': {
      const { reply } = m;
      const failure = reply.results[0]?.payload?.failure;
      return `reply slot ${reply.slot}${reply.failed ? ` failed ${failure}` : ''} inner ${reply.results.map(
        (r) => r.delegate ?? `[${r.inner}]`,
      )} kept ${reply.kept} receipt ${reply.receipt}`;
    }
    case 'completed':
      return `completed slot ${m.slot}`;
    case 'cancel':
      return `cancel slot ${m.slot}`;
    case 'more':
      return `more slot ${m.slot}: ${m.taken} are consumed`;
    case 'yielded':
      return `item ${m.index} slot ${m.slot}`;
    case 'item':
      return `item ${m.item.index} slot ${m.item.slot} inner [${m.item.result.inner}] receipt ${m.item.receipt}`;
    case 'acknowledge':
      return `acknowledge ${m.receipt}`;
  }
}
