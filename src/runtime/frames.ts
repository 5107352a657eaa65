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
 * ```
 * Task ring:
 * ```
 * CALL          slot function depth|flags<<16 attempt|returns<<8 length extra timeout seed   body extra [shared KiB]
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

/** Arguments lie in shared memory: a last word of the record says how many KiB they take there. */
export const CALL_SHARED = 16;

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
}

/** Run times travel in sixteenths of a microsecond. */
export const MICROS_SCALE = 16;
