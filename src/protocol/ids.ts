/**
 * Addresses and global ids.
 *
 * Inside a process everything is a dense handle or an object. The global form exists only for what escapes: 160 bits,
 * written as 40 hexadecimal digits. For the owned engine they are the owner's address and a number; for an engine that
 * names tasks by what they compute they are a hash. Nobody but the owner's node looks inside.
 */

/** Where a party is: its node, its number there, and which holder of that number it is. */
export interface Address {
  readonly node: string;
  readonly party: number;
  readonly incarnation: number;
}

/** 64 bits of a node's name, 16 of the party, 32 of its incarnation, 48 of a sequence number. */
export function makeId(owner: Address, sequence: number): string {
  return owner.node + hex(owner.party, 4) + hex(owner.incarnation, 8) + hex(sequence, 12);
}

export function ownerOf(id: string): Address {
  return {
    node: id.slice(0, 16),
    party: Number.parseInt(id.slice(16, 20), 16),
    incarnation: Number.parseInt(id.slice(20, 28), 16),
  };
}

export function sequenceOf(id: string): number {
  return Number.parseInt(id.slice(28), 16);
}

export function nodeOf(id: string): string {
  return id.slice(0, 16);
}

/** A text that is equal for equal addresses: the key of tables. */
export function addressKey(a: Address): string {
  return `${a.node}.${a.party}.${a.incarnation}`;
}

/** The same without the incarnation. Inside one party, others go by numbers; what it says to other nodes names places. */
export function placeKey(a: Address): string {
  return `${a.node}.${a.party}`;
}

/** `placeKey` of an address key. */
export function placeOf(key: string): string {
  return key.slice(0, key.lastIndexOf('.'));
}

/** The incarnation in an address key. */
export function incarnationOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('.') + 1));
}

/** `owner` of an id as an address key, without building the address. */
export function ownerKeyOf(id: string): string {
  const a = ownerOf(id);
  return addressKey(a);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
