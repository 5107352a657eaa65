/**
 * The frames that parties of one node exchange through rings. Every number is a 32-bit little-endian word, as all
 * machines are that this runs on; frames never leave the node.
 *
 * Message ring:
 * ```
 * REPLY_NUMBER  kind slot micros/16 -      f64
 * REPLY_PLAIN   kind slot micros/16 length body     one primitive
 * REPLY_VALUE   kind slot micros/16 length body     one value with nothing beside its body
 * REPLY         kind length                body     everything else: failures, references, shared memory, tuples
 * ACKNOWLEDGE   kind receipt
 * CANCEL        kind slot sequence flags        of one run; flags: 1 recursive, 2 by force
 * DEFINE        kind function length       body     what a function number means
 * CONTROL       kind length                body     to and from the control thread
 * PART          kind last length           bytes    a piece of a frame too large for a ring
 * PARCEL        kind number total at length -  bytes   a piece of arguments too large for the record of their call
 * DROP_PARCEL   kind number                         the call with these arguments was taken back
 * ITEM_NUMBER   kind slot index -          f64     an item of a stream, from its producer
 * ITEM_PLAIN    kind slot index length     body    one primitive
 * ITEM_VALUE    kind slot index length     body    one value with nothing beside its body
 * ITEM          kind length                body    everything else
 * MORE          kind slot sequence taken           so many items of a stream are consumed, to the producer
 * ```
 * Task ring:
 * ```
 * CALL          slot function depth|flags<<16|queue<<24 attempt|returns<<8 length extra timeout seed   body extra [shared KiB]
 * ```
 */
export const REPLY_NUMBER = 1;
export const REPLY_PLAIN = 2;
export const REPLY_VALUE = 3;
export const REPLY = 4;
export const ACKNOWLEDGE = 5;
export const CANCEL = 6;
export const CANCEL_RECURSIVE = 1;
export const CANCEL_BY_FORCE = 2;
export const DEFINE = 7;
export const CONTROL = 8;
export const PART = 9;
export const PARCEL = 10;
export const DROP_PARCEL = 11;
export const ITEM_NUMBER = 20;
export const ITEM_PLAIN = 21;
export const ITEM_VALUE = 22;
export const ITEM = 23;
export const MORE = 24;

/** Bytes before the body of a call. */
export const CALL_HEADER = 32;
/** Bytes behind them in place of a body that has come as a parcel. */
export const PARCEL_NUMBER = 8;
export const CALL_EXCLUSIVE = 1;
/** Shared views are copied for this task. */
export const CALL_COPY = 2;
/** The extra part lies in shared memory: three more words say where, instead of the extra bytes. */
export const CALL_EXTRA_SHARED = 4;
/** Body and extra part have come as a parcel: the record has a word with its number instead of them. */
export const CALL_PARCEL = 8;
/** The task is a stream: the extra part says where it begins. */
export const CALL_STREAM = 64;

/** Arguments lie in shared memory: a last word of the record says how many KiB they take there. */
export const CALL_SHARED = 16;

/** It is a method of the actor that the worker hosts. */
export const CALL_METHOD = 32;
/** The function is a class, of which the worker is to host an instance: the extra part has its id. */
export const CALL_ACTOR = 128;

/** Where that word is in a record whose body and extra part end at `end`. */
export function sharedSizeAt(end: number): number {
  return (end + 3) & ~3;
}

/** What a call says beside its arguments' body; only what is there. */
export interface CallExtra {
  /** The values of top-level references, by placeholder: wire form and the ids of the references inside. */
  d?: [wire: unknown, inner: readonly string[]][];
  /** Ids of references nested in the arguments. */
  r?: readonly string[];
  /** For each of `r` its value, where the caller has it and it is small or in shared memory; else null. */
  v?: readonly ([wire: unknown, inner: readonly string[]] | null)[];
  /** The arguments' own shared memory: the body, if it is there, and the buffers. */
  s?: unknown;
  g?: readonly number[];
  /** Of a stream: items to skip, items consumed, items that it may run ahead. */
  y?: readonly [skip: number, taken: number, ahead: number];
  /** Of an actor: its id. */
  a?: string;
}

/** Above the flags: from which of its caller's queues a call is. */
export const CALL_KEY_SHIFT = 8;
/** One of too many to tell. */
export const CALL_KEY_UNKNOWN = 0xff;

/** Run times travel in sixteenths of a microsecond. */
export const MICROS_SCALE = 16;
