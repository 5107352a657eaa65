import assert from 'node:assert/strict';
import type { Trace, TraceEvent } from '../../src/cli/trace.ts';

/**
 * Checks a trace against the JSON object form of Chrome's trace event format, as Perfetto's importer reads it: fields by phase,
 * slices of one track that lie inside one another or apart, and a begin with an end for each that may overlap.
 */
export function validate(trace: Trace): void {
  assert.ok(Array.isArray(trace.traceEvents));
  assert.equal(trace.displayTimeUnit, 'ms');
  const slices = new Map<string, TraceEvent[]>();
  const open = new Map<string, TraceEvent>();
  const named = new Set<string>();
  const used = new Set<string>();
  for (const event of trace.traceEvents) {
    const text = JSON.stringify(event);
    assert.equal(typeof event.name, 'string', text);
    for (const field of ['pid', 'tid'] as const) assert.ok(Number.isInteger(event[field]), `${field} of ${text}`);
    const track = `${event.pid} ${event.tid}`;
    if (event.ph === 'M') {
      assert.ok(['process_name', 'thread_name', 'thread_sort_index'].includes(event.name), text);
      assert.notEqual(event.args, undefined, text);
      if (event.name === 'thread_name') {
        assert.ok(!named.has(track), `${track} has two names`);
        named.add(track);
      }
      continue;
    }
    used.add(track);
    assert.ok(Number.isFinite(event.ts) && event.ts! >= 0, text);
    assert.equal(typeof event.cat, 'string', text);
    switch (event.ph) {
      case 'X':
        assert.ok(Number.isFinite(event.dur) && event.dur! >= 0, text);
        slices.set(track, [...(slices.get(track) ?? []), event]);
        break;
      case 'b':
      case 'e': {
        assert.equal(typeof event.id, 'string', text);
        const key = `${event.pid} ${event.cat} ${event.id} ${event.name}`;
        const begin = open.get(key);
        assert.equal(begin === undefined, event.ph === 'b', `${text} does not fit what is open`);
        if (begin === undefined) open.set(key, event);
        else {
          assert.ok(event.ts! >= begin.ts!, `${text} ends before it begins`);
          open.delete(key);
        }
        break;
      }
      case 'i':
        assert.equal(event.s, 't', text);
        break;
      default:
        assert.fail(`a phase of no kind that is used: ${text}`);
    }
  }
  assert.deepEqual([...open.keys()], [], 'what has begun ends');
  assert.deepEqual([...used].sort(), [...named].sort(), 'each track has a name, and each name a track');
  for (const [track, events] of slices) {
    events.sort((a, b) => a.ts! - b.ts! || b.dur! - a.dur!);
    const ends: number[] = [];
    for (const { ts, dur, name } of events) {
      while (ends.length > 0 && ends.at(-1)! <= ts! + EPSILON) ends.pop();
      const end = ts! + dur!;
      assert.ok(
        ends.length === 0 || end <= ends.at(-1)! + EPSILON,
        `${name} at ${ts} of ${track} overlaps another one`,
      );
      ends.push(end);
    }
  }
}

/** Sums of decimal fractions, in microseconds. */
const EPSILON = 0.002;
