import {
  CALL_FIELDS,
  type NodeRecording,
  type PartyRecording,
  partyName,
  RUN_FIELDS,
  WAIT_FIELDS,
} from '../runtime/index.ts';

/** One event of Chrome's trace event format, https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. */
export interface TraceEvent {
  readonly name: string;
  /** X: a slice; b and e: begin and end of one that may overlap others; i: a moment; M: a name. */
  readonly ph: 'X' | 'b' | 'e' | 'i' | 'M';
  readonly pid: number;
  readonly tid: number;
  /** Microseconds since the recording began. */
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: string;
  readonly s?: 't';
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: 'ms';
  readonly otherData: Readonly<Record<string, unknown>>;
}

interface Call {
  readonly name: string;
  readonly attempt: number;
  readonly made: number;
  /** Negative: before the recording. */
  readonly sent: number;
  readonly bytes: number;
}

interface Run {
  readonly name: string;
  readonly worker: number;
  readonly caller: number;
  readonly sequence: number;
  readonly attempt: number;
  readonly begun: number;
  readonly ended: number;
  readonly outcome: 'done' | 'failed' | 'not over';
  readonly waits: readonly { readonly began: number; readonly ended: number }[];
}

/** Tracks of one worker: runs that overlap because some of them wait lie in different ones. */
const LANES = 1000;

/** Recordings of several sessions as one trace: a process for each session, a track for each worker, and calls by who waits. */
export function traceOf(nodes: readonly NodeRecording[]): Trace {
  return {
    traceEvents: nodes.flatMap(eventsOf),
    displayTimeUnit: 'ms',
    otherData: {
      sessions: nodes.map(({ name, node, startedAt, silent, leftOut }) => ({ name, node, startedAt, silent, leftOut })),
    },
  };
}

function eventsOf(node: NodeRecording): TraceEvent[] {
  const { pid, began } = node;
  const at = (ms: number): number => Math.max(0, Math.round((ms - began) * 1e6) / 1e3);
  const calls = callsOf(node);
  const runs = runsOf(node, calls);
  const events: TraceEvent[] = [
    { name: 'process_name', ph: 'M', pid, tid: 0, args: { name: `${node.name} (${node.node})` } },
  ];
  const tracks = new Map<number, string>();
  const lanes = new Map<number, number[]>();
  // Parties begin to note things down a moment before all of them do.
  const within = runs.filter(({ ended }) => ended > began);
  for (const run of within.sort((a, b) => a.begun - b.begun)) {
    const { name, worker, caller, sequence, attempt, begun, ended, outcome } = run;
    const ends = lanes.get(worker) ?? [];
    lanes.set(worker, ends);
    let lane = ends.findIndex((end) => end <= begun);
    if (lane < 0) lane = ends.length;
    ends[lane] = ended;
    const tid = worker * LANES + Math.min(lane, LANES - 1);
    const process = node.parties.find(({ party }) => party === worker)?.pid ?? null;
    const shared = process === null || process === pid ? '' : ` (pid ${process})`;
    tracks.set(tid, `${partyName(worker)}${shared}${lane === 0 ? '' : `, beside others: ${lane}`}`);
    const call = calls.get(keyOf(caller, sequence, attempt));
    const id = `${node.node}-${caller}-${sequence}`;
    const args = { id, caller: partyName(caller), attempt: attempt + 1, outcome, argumentBytes: call?.bytes ?? null };
    const ts = at(begun);
    events.push({ name, cat: 'task', ph: 'X', pid, tid, ts, dur: at(ended) - ts, args });
    for (const wait of run.waits) {
      if (wait.ended <= began) continue;
      const ts = at(wait.began);
      events.push({ name: 'waits', cat: 'wait', ph: 'X', pid, tid, ts, dur: at(wait.ended) - ts, args: { id } });
    }
    if (call === undefined || call.sent < 0 || call.made > begun) continue;
    tracks.set(caller * LANES, tracks.get(caller * LANES) ?? partyName(caller));
    const queue = { name, cat: 'queue', pid, tid: caller * LANES, id: `${id}-${attempt}` };
    const sent = { sentAfterMs: Math.max(0, call.sent - call.made), worker };
    events.push({ ...queue, ph: 'b', ts: at(call.made), args: sent }, { ...queue, ph: 'e', ts });
  }
  for (const { worker, reason, at: when } of node.deaths) {
    const tid = worker * LANES;
    tracks.set(tid, tracks.get(tid) ?? partyName(worker));
    events.push({ name: `ended: ${reason}`, cat: 'death', ph: 'i', s: 't', pid, tid, ts: at(when) });
  }
  for (const [tid, name] of tracks) {
    events.push({ name: 'thread_name', ph: 'M', pid, tid, args: { name } });
    events.push({ name: 'thread_sort_index', ph: 'M', pid, tid, args: { sort_index: tid } });
  }
  return events;
}

const keyOf = (caller: number, sequence: number, attempt: number): string => `${caller} ${sequence} ${attempt}`;

function* rows(numbers: readonly number[], fields: number): Generator<readonly number[]> {
  for (let i = 0; i < numbers.length; i += fields) yield numbers.slice(i, i + fields);
}

function callsOf({ parties }: NodeRecording): Map<string, Call> {
  const found = new Map<string, Call>();
  for (const { party, names, calls } of parties) {
    for (const [name, sequence, attempt, , made, sent, bytes] of rows(calls, CALL_FIELDS) as Iterable<Seven>) {
      found.set(keyOf(party, sequence, attempt), { name: names[name] as string, attempt, made, sent, bytes });
    }
  }
  return found;
}

type Seven = readonly [number, number, number, number, number, number, number];
type Four = readonly [number, number, number, number];

function runsOf(node: NodeRecording, calls: ReadonlyMap<string, Call>): Run[] {
  const runs = node.parties.flatMap((party) => runsOn(party, node.ended));
  for (const { worker, caller, sequence, began } of node.busy) {
    // Which attempt it is, only its caller knows.
    const call = [...calls].find(([key]) => key.startsWith(`${caller} ${sequence} `))?.[1];
    runs.push({
      name: call?.name ?? 'a task',
      worker,
      caller,
      sequence,
      attempt: call?.attempt ?? 0,
      begun: began,
      ended: Math.max(began, node.ended),
      outcome: 'not over',
      waits: [],
    });
  }
  return runs;
}

function runsOn({ party, names, runs, waits }: PartyRecording, end: number): Run[] {
  const waited = new Map<string, { began: number; ended: number }[]>();
  for (const [caller, sequence, began, ended] of rows(waits, WAIT_FIELDS) as Iterable<Four>) {
    const key = `${caller} ${sequence}`;
    const known = waited.get(key);
    if (known === undefined) waited.set(key, [{ began, ended }]);
    else known.push({ began, ended });
  }
  const found: Run[] = [];
  for (const [name, caller, sequence, attempt, begun, ended, failed] of rows(runs, RUN_FIELDS) as Iterable<Seven>) {
    const over = ended < 0 ? Math.max(begun, end) : ended;
    found.push({
      name: names[name] as string,
      worker: party,
      caller,
      sequence,
      attempt,
      begun,
      ended: over,
      outcome: ended < 0 ? 'not over' : failed === 1 ? 'failed' : 'done',
      // Another attempt of the same call may have run here; and what is not over is told a moment after the end.
      waits: (waited.get(`${caller} ${sequence}`) ?? [])
        .filter((wait) => wait.began >= begun && wait.began <= over)
        .map((wait) => ({ began: wait.began, ended: Math.min(wait.ended, over) })),
    });
  }
  return found;
}
