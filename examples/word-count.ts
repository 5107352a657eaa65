/**
 * Counts words in many files at once: one task for each file, and a tree of tasks that adds their counts. The driver
 * passes references on and sees the last table only.
 *
 *   sheaf run examples/word-count.ts README.md docs/*.md
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type Ref, task } from 'sheaf';

type Counts = ReadonlyMap<string, number>;

const count = task(async (path: string): Promise<Counts> => {
  const counts = new Map<string, number>();
  const text = await readFile(path, 'utf8');
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
});

const add = task((a: Counts, b: Counts): Counts => {
  const sum = new Map(a);
  for (const [word, n] of b) sum.set(word, (sum.get(word) ?? 0) + n);
  return sum;
});

let files = process.argv.slice(2);
if (files.length === 0) {
  const names = readdirSync(import.meta.dirname).filter((name) => /\.\w+$/.test(name));
  files = names.map((name) => join(import.meta.dirname, name));
}

await using _session = await connect();

// Calls return at once: the whole tree is there before the first file has been read.
let level: Ref<Counts>[] = files.map((file) => count(file));
while (level.length > 1) {
  const next: Ref<Counts>[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [a, b] = level.slice(i, i + 2);
    next.push(b === undefined ? a! : add(a!, b));
  }
  level = next;
}
const total = level[0] === undefined ? new Map<string, number>() : await level[0].value;

const words = [...total.values()].reduce((sum, n) => sum + n, 0);
console.log(`${words} words, ${total.size} different ones, in ${files.length} files`);
const often = [...total].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
for (const [word, n] of often.slice(0, 10)) console.log(`${String(n).padStart(7)}  ${word}`);
