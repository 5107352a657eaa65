import { CancelledError, InternalError } from '../base/index.ts';
import { DONE, type FromControl, type Item, type Reply } from '../protocol/index.ts';
import type { RingReader } from '../transport/index.ts';
import type { Call } from './call.ts';
import * as F from './frames.ts';
import type { HostMessage } from './host-messages.ts';
import type { PartyHost } from './party-host.ts';
import { Stored, type Wire } from './values.ts';

/** Takes the frames in that other parties have sent to this one. */
export class Incoming {
  readonly #host: PartyHost;

  constructor(host: PartyHost) {
    this.#host = host;
  }

  message(from: number, reader: RingReader): void {
    const { words, bytes, floats } = reader.views;
    this.#frame(from, words[reader.at >> 2] as number, words, bytes, reader.at, floats);
  }

  /** One frame, in a ring or put together from its parts. */
  #frame(from: number, kind: number, words: Int32Array, bytes: Uint8Array, at: number, floats: Float64Array): void {
    const w = at >> 2;
    const host = this.#host;
    const { mailer, executions } = host;
    switch (kind) {
      case F.REPLY_NUMBER: {
        host.counters.bytesIn += 8;
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, floats[(at >> 3) + 2]);
        break;
      }
      case F.REPLY_PLAIN: {
        const length = words[w + 3] as number;
        host.counters.bytesIn += length;
        const value = host.values.decoder.decode(bytes, at + 16, at + 16 + length);
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.REPLY_VALUE: {
        const length = words[w + 3] as number;
        host.counters.bytesIn += length;
        const value = new Stored(bytes.slice(at + 16, at + 16 + length), null, []);
        this.#completed(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.REPLY:
        this.#replied(from, mailer.open(bytes, at) as Reply<Wire>, words[w + 1] as number);
        break;
      case F.ITEM_NUMBER:
        host.counters.bytesIn += 8;
        host.party.yielded(from, words[w + 1] as number, words[w + 2] as number, floats[(at >> 3) + 2]);
        break;
      case F.ITEM_PLAIN:
      case F.ITEM_VALUE: {
        const length = words[w + 3] as number;
        host.counters.bytesIn += length;
        const value =
          kind === F.ITEM_PLAIN
            ? host.values.decoder.decode(bytes, at + 16, at + 16 + length)
            : new Stored(bytes.slice(at + 16, at + 16 + length), null, []);
        host.party.yielded(from, words[w + 1] as number, words[w + 2] as number, value);
        break;
      }
      case F.ITEM:
        host.counters.bytesIn += words[w + 1] as number;
        host.party.item(host.addressOf(from), mailer.open(bytes, at) as Item<Wire>);
        break;
      case F.MORE: {
        const run = { slot: words[w + 1] as number, sequence: words[w + 2] as number };
        executions?.more(from, run, words[w + 3] as number);
        break;
      }
      case F.ACKNOWLEDGE:
        host.discard(host.party.executor.acknowledged(words[w + 1] as number));
        break;
      case F.CANCEL:
        executions?.cancel(
          from,
          { slot: words[w + 1] as number, sequence: words[w + 2] as number },
          words[w + 3] as number,
        );
        break;
      case F.DEFINE:
        executions?.inboxes.define(from, words[w + 1] as number, () => mailer.open(bytes, at + 4));
        break;
      case F.CONTROL:
        this.#fromControl(mailer.open(bytes, at) as FromControl<Wire> | HostMessage);
        break;
      case F.PARCEL:
        executions?.inboxes.parcels.piece(from, words, bytes, at);
        break;
      case F.DROP_PARCEL:
        executions?.inboxes.parcels.drop(from, words[w + 1] as number);
        break;
      case F.PART:
        mailer.part(from, words, bytes, at, (whole) => {
          const { buffer } = whole;
          const floats = new Float64Array(buffer, 0, whole.length >> 3);
          this.#frame(from, new DataView(buffer).getInt32(0, true), new Int32Array(buffer), whole, 0, floats);
        });
        break;
      default:
        throw new InternalError(`party ${from} sent a frame of kind ${kind}`);
    }
  }

  #completed(worker: number, slot: number, ticks: number, value: unknown): void {
    const { party, endings } = this.#host;
    const call = party.owner.inFlight[slot] as Call | null | undefined;
    party.completed(worker, slot, ticks / F.MICROS_SCALE, value);
    if (call !== null && call !== undefined) endings.ended(call, false);
  }

  #replied(from: number, reply: Reply<Wire>, bytes: number): void {
    const host = this.#host;
    const { party } = host;
    host.counters.bytesIn += bytes;
    const call = party.owner.inFlight[reply.slot] as Call | null | undefined;
    party.replied(host.addressOf(from), { ...reply, micros: reply.micros / F.MICROS_SCALE });
    if (call === null || call === undefined || call.state !== DONE) return;
    if (!reply.failed) host.origins.came(call);
    host.endings.ended(call, reply.failed);
  }

  #fromControl(message: FromControl<Wire> | HostMessage): void {
    const host = this.#host;
    const { executions } = host;
    switch (message.type) {
      case 'died':
        host.deaths.during(message.reason, () => host.party.fromControl(message));
        host.reactor.forget(message.party, message.incarnation);
        host.mailer.forget(message.party);
        host.executions?.callerDied(message.party);
        break;
      case 'answer':
        host.questions.answered(message.question, message.answer);
        break;
      case 'cancel': {
        const cell = host.party.references.owned.get(message.id);
        const error = new CancelledError('the task was cancelled by a borrower of its result');
        if (cell !== undefined) host.cancel(cell, error, message.force, message.recursive);
        break;
      }
      case 'actor':
        host.actors.news(message);
        break;
      case 'joined-actor':
        host.actors.joined(message.id, message.of);
        break;
      case 'retire-actor':
        executions?.actors.get(message.id)?.retire(message.alone);
        break;
      case 'end-actor':
        void host.executions?.closeActor(message.id, message.ms);
        break;
      case 'create-detached':
        host.createFor(message.question, message.from, message);
        break;
      case 'created-detached':
      case 'name-actor':
      case 'actor-ended':
      case 'exited':
      case 'bring':
      case 'hello':
      case 'last-words':
      case 'ask':
      case 'signalled':
        host.onHostMessage?.(message);
        break;
      default:
        host.party.fromControl(message);
    }
  }
}
