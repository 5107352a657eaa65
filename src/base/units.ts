import { UsageError } from './errors.ts';
import { shown } from './show.ts';

/** A length of time: milliseconds, or a text such as `'250ms'`, `'1.5s'`, `'2m'`, `'1h'`. Not negative. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;
/** A size: bytes, or a text such as `'64KiB'`, `'256MiB'`, `'1.5GiB'`, in powers of 1024. Not negative. */
export type Bytes = number | `${number}${'KiB' | 'MiB' | 'GiB'}`;

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const sizes: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function scaled(text: unknown, units: Readonly<Record<string, number>>): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text) : null;
  const unit = match === null ? undefined : units[match[2] as string];
  return match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
}

/** Milliseconds of a duration such as `250`, `'250ms'`, `'1.5s'`, `'2m'` or `'1h'`. `what` names the option in the error. */
export function milliseconds(value: Duration, what: string): number {
  const ms = typeof value === 'number' ? value : scaled(value, durations);
  if (ms >= 0) return ms;
  throw new UsageError(
    `${what}: ${shown(value)} is not a duration; give milliseconds, or a text such as '250ms', '1.5s', '2m', '1h'`,
  );
}

/** Whole bytes of a size such as `65536`, `'64KiB'`, `'1.5GiB'`. `what` names the option in the error. */
export function bytes(value: Bytes, what: string): number {
  const n = typeof value === 'number' ? value : scaled(value, sizes);
  if (n >= 0 && Number.isFinite(n)) return Math.floor(n);
  throw new UsageError(
    `${what}: ${shown(value)} is not a size; give bytes, or a text such as '64KiB', '256MiB', '1.5GiB'`,
  );
}

/** `1536` as `1.5 KiB`, for messages. */
export function formatBytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${Number.isInteger(n) ? n : n.toFixed(1)} ${units[unit]}`;
}

/** `95` as `95 ms`, `1500` as `1.5 s`, for messages. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Number.isInteger(ms) ? ms : ms.toFixed(1)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}
