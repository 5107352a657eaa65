import { SharedStore } from '../memory/index.ts';
import { type Bell, ChannelBell, ControlBlock, PipeBell } from '../transport/index.ts';
import type { SessionConfig } from './config.ts';

/** One party's view of the session: memory mapped, bell in hand. */
interface Attached {
  readonly block: ControlBlock;
  readonly store: SharedStore;
  readonly bell: Bell;
}

/**
 * `read` is the descriptor of the party's own bell; the bell closes it. `foreign`: it rings by FFI. A thread that may be
 * terminated at any moment does not, since one that is ended within a foreign call can take the process down.
 */
export function attach(config: SessionConfig, party: number, read: number | undefined, foreign: boolean): Attached {
  const block = ControlBlock.attach(config.block, config.shape);
  const store = SharedStore.attach(config.store, party);
  return { block, store, bell: bellOf(config, party, read, foreign) };
}

export function bellOf(config: SessionConfig, party: number, read: number | undefined, foreign: boolean): Bell {
  return config.bells === undefined || read === undefined
    ? new ChannelBell(config.node, party)
    : new PipeBell(read, config.bells.write, foreign);
}
