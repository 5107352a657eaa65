import { isIP } from 'node:net';
import { shown } from '../base/index.ts';
import { fault, type Place } from './faults.ts';

/**
 * Where the data of a partition can be read without communication: the address of the machine, the id of the process, and the device,
 * `kDLCPU` if there is none. A process that the description does not name is 0, and a machine likewise `''`: descriptions of before 2022
 * know one of them at most.
 */
export type Location = readonly [ip: string, pid: number, device?: string];

/** The kinds of devices of DLPack, in the order of its enumeration. */
export const DEVICES = [
  'kDLCPU',
  'kDLCUDA',
  'kDLCUDAHost',
  'kDLOpenCL',
  'kDLVulkan',
  'kDLMetal',
  'kDLVPI',
  'kDLROCM',
  'kDLROCMHost',
  'kDLExtDev',
  'kDLCUDAManaged',
  'kDLOneAPI',
  'kDLWebGPU',
  'kDLHexagon',
  'kDLMAIA',
  'kDLTrn',
] as const;

/** The kind of a device: `kDLCUDA` of `kDLCUDA:1`. */
export const kindOfDevice = (device: string): string => device.split(':', 1)[0] as string;

/** What a location of before 2022 says: a rank (MPI), or an address (Ray), perhaps with a port (Dask). */
export type OlderLocation = number | string;
/** Says where that is. */
export type Locate = (location: OlderLocation) => Location;

/** What a record of a partition says about where it is, in the form of 2022. */
export interface Located {
  readonly location: readonly Location[];
  /** Ranks, one for each location, where the description has them. */
  readonly ranks?: readonly number[];
  /** Ports likewise. */
  readonly ports?: readonly number[];
}

/** Reads every form that `location` ever had. Throws a FormatError that names the place. */
export function readLocations(value: unknown, place: Place, locate?: Locate): Located {
  const list = isOneTuple(value) || !Array.isArray(value) ? [value] : value;
  if (list.length === 0) {
    throw fault('location', place, 'is empty; name every place where the data can be read without communication');
  }
  const older = list.filter((each) => !Array.isArray(each));
  if (older.length === 0) return { location: list.map((each, i) => ofTuple(each as unknown[], [...place, i])) };
  if (older.length < list.length)
    throw fault('location', place, 'has some entries that are tuples, and some that are not');
  return ofOlder(older, place, locate);
}

/** The heading of the draft says "tuple" where its text says "sequence of tuples": one tuple by itself is read as well. */
const isOneTuple = (value: unknown): boolean =>
  Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';

function ofTuple(tuple: readonly unknown[], place: Place): Location {
  const [ip, pid, device, index] = tuple;
  if (tuple.length < 2 || tuple.length > 4) {
    throw fault('location', place, `has ${tuple.length} parts; give [ip, pid], or [ip, pid, device]`);
  }
  if (typeof ip !== 'string' || (ip !== '' && isIP(ip) === 0)) {
    throw fault('location', [...place, 0], `is ${shown(ip)}, which is no IP address`);
  }
  if (!Number.isSafeInteger(pid) || (pid as number) < 0) {
    throw fault('location', [...place, 1], `is ${shown(pid)}, which is no process id`);
  }
  if (device === undefined && index === undefined) return [ip, pid as number];
  return withDevice(ip, pid as number, index === undefined ? device : `${String(device)}:${String(index)}`, [
    ...place,
    2,
  ]);
}

function withDevice(ip: string, pid: number, device: unknown, place: Place): Location {
  const [, kind, index] = /^(\w+)(?::(\d+))?$/.exec(String(device)) ?? [];
  if (typeof device !== 'string' || !(DEVICES as readonly string[]).includes(kind as string)) {
    throw fault('device', place, `is ${shown(device)}, which DLPack does not know; it knows ${DEVICES.join(', ')}`);
  }
  // The one that is meant where none is named: two descriptions of the same are the same.
  return kind === 'kDLCPU' && (index ?? '0') === '0' ? [ip, pid] : [ip, pid, device];
}

function ofOlder(list: readonly unknown[], place: Place, locate: Locate | undefined): Located {
  const read = list.map((each, i) => readOlder(each, [...place, i]));
  const known = locate === undefined ? undefined : read.map(({ text }) => ofTuple([...locate(text)], place));
  const ranks = read.flatMap(({ rank }) => (rank === undefined ? [] : [rank]));
  const ports = read.flatMap(({ port }) => (port === undefined ? [] : [port]));
  return {
    location: known ?? read.map(({ ip }) => [ip, 0]),
    ...(ranks.length === list.length ? { ranks } : {}),
    ...(ports.length === list.length ? { ports } : {}),
  };
}

interface Older {
  readonly text: OlderLocation;
  readonly ip: string;
  readonly rank?: number;
  readonly port?: number;
}

function readOlder(value: unknown, place: Place): Older {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
    return { text: value, ip: '', rank: value };
  if (typeof value === 'string') {
    if (isIP(value) !== 0) return { text: value, ip: value };
    // Of Dask: 10.0.0.1:40331, tcp://10.0.0.1:40331, tcp://[::1]:40331.
    const [, bracketed, plain, port] = /^(?:\w+:\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(value) ?? [];
    const ip = bracketed ?? plain;
    if (ip !== undefined && isIP(ip) !== 0) return { text: value, ip, port: Number(port) };
  }
  throw fault(
    'location',
    place,
    `is ${shown(value)}; give [ip, pid], [ip, pid, device], or of older descriptions an IP address, an address with a port, or a rank`,
  );
}
