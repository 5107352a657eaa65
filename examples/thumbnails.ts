/**
 * Thumbnails of a folder of images: a task for each, a bar that shows how far it is, and a list of those that failed. They are
 * written to a folder for what is not complete, and moved from there: Ctrl-C, or the death of a worker, leaves a whole file or
 * none. Without a folder the program makes one, with one image that is damaged, and removes it at the end.
 *
 *   npm i sharp
 *   sheaf run examples/thumbnails.ts [folder]
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import sharp from 'sharp';
import { connect, get, task } from 'sheaf';

const PHOTOS = 40;
const SIZE = 160;

/** Makes a thumbnail; its size in bytes. */
const thumbnail = task(async (image: string, partial: string, out: string): Promise<number> => {
  // The pool has a process for each core already.
  sharp.concurrency(1);
  const name = basename(image);
  const written = await sharp(image).rotate().resize(SIZE, SIZE, { fit: 'inside' }).toFile(join(partial, name));
  await rename(join(partial, name), join(out, name));
  return written.size;
});

/** Stands for a camera. */
const photo = task(async (path: string, number: number): Promise<void> => {
  const [width, height] = number % 3 === 0 ? [1200, 1600] : [1600, 1200];
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = ((i % (width * 3)) / 20) ^ ((i / width / 5) * (1 + (number % 5)));
  const jpeg = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  await writeFile(path, number === 7 ? jpeg.subarray(0, jpeg.length / 2) : jpeg);
});

/** A folder that is there while it is used. */
async function temporary(folder: string) {
  await mkdir(folder, { recursive: true });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

// With a listener of its own, the program decides how Ctrl-C ends it: in order, from the inside out.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

const given = process.argv[2];
if (given !== undefined && !(await stat(given).catch(() => undefined))?.isDirectory()) {
  console.error(`there is no folder ${given}; usage: sheaf run thumbnails.ts [folder]`);
  process.exit(2);
}
await using own = given === undefined ? await temporary(await mkdtemp(join(tmpdir(), 'photos-'))) : undefined;
const folder = given ?? own!.folder;
const out = join(folder, 'thumbnails');
// Removed after the session has ended, when no worker can write to it any more.
await using partial = await temporary(join(out, '.partial'));
await using _session = await connect();

if (own !== undefined) {
  const names = Array.from({ length: PHOTOS }, (_, i) => join(folder, `IMG_${String(i + 1).padStart(4, '0')}.jpg`));
  await get(names.map((name, i) => photo(name, i + 1)));
}
const images = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp|avif)$/i.test(name)).sort();

const failures: string[] = [];
let [before, after, done] = [0, 0, 0];
try {
  const toArgs = (name: string): [string, string, string] => [join(folder, name), partial.folder, out];
  const options = { inFlight: 16, ordered: false, progress: 'thumbnails', signal: interrupt.signal };
  for await (const outcome of thumbnail.map(images, toArgs, options)) {
    if (outcome.ok) {
      done++;
      before += (await stat(join(folder, outcome.input))).size;
      after += outcome.value;
    } else failures.push(`${outcome.input}: ${outcome.error.message}`);
  }
} catch (error) {
  if (error !== interrupt.signal.reason) throw error;
  process.exitCode = 130;
}

console.log(`${done} of ${images.length} thumbnails${interrupt.signal.aborted ? ' before the interruption' : ''}`);
console.log(`${(before / 1e6).toFixed(1)} MB of images became ${(after / 1e6).toFixed(2)} MB`);
for (const line of failures) console.log(`failed: ${line}`);
