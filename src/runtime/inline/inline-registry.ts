import { InternalError } from '../../base/index.ts';
import { ActorTable, type Address, type ToControl } from '../../protocol/index.ts';
import type { NameAnswer, NameQuestion } from '../host-messages.ts';
import type { Wire } from '../values.ts';
import type { InlineHost } from './inline-host.ts';
import { outside } from './outside.ts';

/**
 * In the place of the control thread, which would lend workers and keep the table of what has escaped: where the actors of an inline
 * session are, and what they are called. Its news are not told in the middle of what causes them, as little as those of another
 * thread would be.
 */
export class InlineRegistry {
  readonly #host: InlineHost;
  readonly #self: Address;
  readonly #news: (() => void)[] = [];
  #armed = false;
  readonly table: ActorTable<Wire>;

  constructor(host: InlineHost, self: Address) {
    this.#host = host;
    this.#self = self;
    this.table = new ActorTable<Wire>({
      tell: (_party, news) => this.#later(() => host.actors.news(news)),
      retire: (_worker, incarnation, id, alone) => this.#later(() => host.hosted.retire(incarnation, id, alone)),
      joined: (_party, id, of) => this.#later(() => host.actors.joined(id, of)),
      ownerDied: (id) => {
        throw new InternalError(`in inline mode the owner of the actor ${id} is the program, which lives`);
      },
    });
  }

  #later(tell: () => void): void {
    this.#news.push(tell);
    if (this.#armed) return;
    this.#armed = true;
    queueMicrotask(this.#tell);
  }

  readonly #tell = (): void => {
    outside(() => {
      this.#armed = false;
      for (const tell of this.#news.splice(0)) if (!this.#host.closed) tell();
      if (this.#host.closed) return;
      this.#host.settleUp();
      this.#host.kick();
    });
  };

  /** `incarnation`: of the worker that says so, which the program is, or an actor. */
  take(message: ToControl<Wire>, incarnation: number): void {
    const { table } = this;
    const host = this.#host;
    switch (message.type) {
      case 'demand':
        host.kick();
        break;
      case 'return':
        host.turns.returned(message.lease);
        host.kick();
        break;
      case 'remove':
        // This party was the only one that held it.
        host.party.references.freed(message.id, message.observed === true);
        table.forget(message.id);
        break;
      case 'create-actor':
        table.created(message.id, message.namespace, message.name);
        break;
      case 'alias-actor':
        table.alias(message.id, message.of);
        break;
      case 'watch-actor':
        table.watch(message.id, host.party.key, true);
        break;
      case 'hosting':
        table.hosted(message.id, this.#self.party, incarnation, message.ready, message.disposes);
        break;
      case 'actor-over':
        table.over(message.id, message.why);
        break;
      case 'drain-actor':
        table.drain(message.id);
        break;
      case 'quiet-actor':
        table.quiet(message.id, host.party.key);
        break;
      default:
      // What has escaped is known here all the same, and nothing runs elsewhere.
    }
  }

  /** The one that has the name is held until whoever asks has taken it. */
  name({ namespace, name, id, of, join }: NameQuestion): NameAnswer {
    const { table } = this;
    const known = id === null ? table.named(namespace, name) : table.claim(namespace, name, id, of);
    if (known === undefined) return { id: null, of: null };
    const { references } = this.#host.party;
    const cell = references.owned.get(known.id);
    if (join && known.type === of && cell !== undefined) {
      references.hold(cell);
      outside(() => setImmediate(() => this.#host.drop(cell)));
    }
    return { id: known.id, of: known.type };
  }
}
