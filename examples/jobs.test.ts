import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { asyncBufferFromFile, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import sharp from 'sharp';

const root = process.env.SHEAF_ROOT ?? resolve('.');
const TIMEOUT_MS = 120_000;

/** What a run printed; it must have ended well and without complaint. */
function outputOf(mode: 'workers' | 'inline', name: string, args: readonly string[]): Promise<string> {
  const program = join(root, 'examples', `${name}.ts`);
  const command = [join(root, 'dist/cli.js'), 'run', ...(mode === 'inline' ? ['--inline'] : []), program, ...args];
  const child = spawn(process.execPath, command, { cwd: root, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((done, fail) => {
    child.on('close', (code) =>
      code === 0 && err === '' ? done(out) : fail(new Error(`${name} (${mode}) ended with ${code}:\n${err}\n${out}`)),
    );
  });
}

/** What regression.ts computes of the first group of flights, in plain loops. */
async function plainRegression() {
  const columns: Record<string, unknown[]> = {};
  await parquetRead({
    file: await asyncBufferFromFile(join(root, 'node_modules/vega-datasets/data/flights-3m.parquet')),
    compressors,
    rowEnd: 272_727,
    columns: ['date', 'delay', 'distance', 'origin'],
    onChunk: ({ columnName, columnData }) => {
      columns[columnName] = (columns[columnName] ?? []).concat(Array.from(columnData));
    },
  });
  const [dates, delays, origins] = [columns.date as Date[], columns.delay as bigint[], columns.origin as string[]];
  const counts = new Map<string, number>();
  for (const origin of origins) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  const busiest = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 10)
    .map(([code]) => code);

  const [n, size] = [delays.length, 26];
  // The sums of products of all columns, of columns and delays, and an identity that becomes the inverse.
  const rows = Array.from({ length: size }, (_, i) =>
    new Float64Array(2 * size + 1).fill(1, size + 1 + i, size + 2 + i),
  );
  let [sum, squares] = [0, 0];
  for (let flight = 0; flight < n; flight++) {
    const [date, y] = [dates[flight]!, Number(delays[flight])];
    const angle = (date.getUTCHours() * Math.PI) / 12;
    const waves = [1, 2, 3, 4].map((k) => k * angle);
    const days = [1, 2, 3, 4, 5, 6].map((day) => (date.getUTCDay() === day ? 1 : 0));
    const from = busiest.map((code) => (origins[flight] === code ? 1 : 0));
    const x = [
      1,
      ...waves.map(Math.sin),
      ...waves.map(Math.cos),
      ...days,
      Number(columns.distance![flight]) / 1000,
      ...from,
    ];
    for (let i = 0; i < size; i++) {
      const row = rows[i]!;
      for (let j = 0; j < size; j++) row[j]! += x[i]! * x[j]!;
      row[size]! += x[i]! * y;
    }
    sum += y;
    squares += y * y;
  }
  const products = rows.map((row) => row[size]!);
  for (let i = 0; i < size; i++) {
    const pivot = rows[i]!;
    pivot.forEach((value, j, all) => {
      if (j !== i) all[j] = value / all[i]!;
    });
    pivot[i] = 1;
    for (const row of rows) {
      if (row === pivot) continue;
      const factor = row[i]!;
      for (let j = 0; j < row.length; j++) row[j]! -= factor * pivot[j]!;
    }
  }
  const effects = rows.map((row) => row[size]!);
  const rest = squares - effects.reduce((all, effect, i) => all + effect * products[i]!, 0);
  const variance = squares - (sum * sum) / n;
  return {
    effects: effects.slice(9),
    bounds: rows.map((row, i) => 1.96 * Math.sqrt((row[size + 1 + i]! * rest) / (n - size))).slice(9),
    mean: sum / n,
    explained: 1 - rest / variance,
  };
}

for (const mode of ['workers', 'inline'] as const)
  describe(`the job (${mode})`, () => {
    const output = (name: string, ...args: string[]) => outputOf(mode, name, args);
    let folder: string;
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'sheaf-jobs-'));
    });
    after(() => rmSync(folder, { recursive: true }));

    it('heat spreads, and more of it through the gap than through the wall', async () => {
      const out = await output('heat', folder, '64');
      const rows = [...out.matchAll(/^ +0\.\d\d +\d+ +([\d.]+) +([\d.]+) +([\d.]+)$/gm)].map((row) =>
        row.slice(1).map(Number),
      );
      assert.equal(rows.length, 3, out);
      const [[mean1], , [mean3, gap, wall]] = rows as [number[], number[], number[]];
      assert.ok(mean1! > 21 && mean3! > mean1! + 5, out);
      assert.ok(gap! > wall! + 5 && wall! < 22, out);
      const picture = sharp(join(folder, 'heat.png'));
      const { width, height } = await picture.metadata();
      const { channels } = await picture.stats();
      assert.deepEqual([width, height, channels.length], [192, 64, 3]);
      assert.ok(channels[0]!.max === 255 && channels[0]!.min <= 10, out);
    });

    it('k-means finds groups that hold one digit for the most part', async () => {
      const out = await output('k-means', folder, '20', '2000');
      assert.match(out, /^2000 images in 20 groups, which stay as they are after \d+ steps$/m);
      const sizes = [...out.matchAll(/^ +(\d+) {3}\d: \d+ %/gm)].map((row) => Number(row[1]));
      assert.equal(sizes.length, 20, out);
      assert.equal(
        sizes.reduce((a, b) => a + b),
        2000,
      );
      const [, right] = /named by their group, ([\d.]+) % of/.exec(out) ?? assert.fail(out);
      assert.ok(Number(right) > 60, out);
      const { width, height } = await sharp(join(folder, 'k-means.png')).metadata();
      assert.deepEqual([width, height], [17 * 28, 20 * 28]);
    });

    it('pca rebuilds and reads digits the better the more components it takes', async () => {
      const out = await output('pca', folder, '2000');
      const rows = [...out.matchAll(/^ +(\d+) +([\d.]+) % +([\d.]+) +([\d.]+) %$/gm)].map((row) =>
        row.slice(1).map(Number),
      );
      assert.deepEqual(
        rows.map(([n]) => n),
        [1, 2, 5, 10, 20, 50, 100, 200],
        out,
      );
      for (const [i, [, variance, error]] of rows.slice(1).entries()) {
        assert.ok(variance! > rows[i]![1]! && error! < rows[i]![2]!, out);
      }
      assert.ok(rows[0]![3]! < 40 && rows[5]![3]! > 85, out);
      const { width, height } = await sharp(join(folder, 'pca-digits.png')).metadata();
      assert.deepEqual([width, height], [20 * 28, 9 * 28]);
      const map = readFileSync(join(folder, 'pca-map.svg'), 'utf8');
      assert.equal([...map.matchAll(/<text /g)].length, 1000);
      assert.doesNotMatch(map, /NaN|undefined/);
    });

    it('page-rank finds the large airports, and draws them', async () => {
      const out = await output('page-rank', folder, '1');
      assert.match(out, /^272727 flights between \d+ airports; the ranks stay as they are after \d+ steps$/m);
      const rows = [...out.matchAll(/^([A-Z]{3}) +([\d.]+) % +\d+ +\d+ {3}(.*)$/gm)];
      assert.equal(rows.length, 20, out);
      const ranks = rows.map((row) => Number(row[2]));
      assert.deepEqual(
        ranks,
        ranks.toSorted((a, b) => b - a),
      );
      assert.deepEqual(
        rows
          .slice(0, 4)
          .map((row) => row[1])
          .sort(),
        ['ATL', 'DFW', 'LAX', 'ORD'],
        out,
      );
      assert.match(out, /^ORD .* Chicago, IL$/m);
      const map = readFileSync(join(folder, 'page-rank.svg'), 'utf8');
      assert.ok([...map.matchAll(/<circle /g)].length > 150);
      assert.doesNotMatch(map, /NaN|undefined/);
    });

    it('regression finds the effects that plain loops find', async () => {
      const out = await output('regression', folder, '1');
      const found = [...out.matchAll(/^\S.*? +(-?[\d.]+) {3}± ([\d.]+)$/gm)].map((row) => row.slice(1).map(Number));
      const { effects, bounds, mean, explained } = await plainRegression();
      assert.match(out, new RegExp(`^272727 flights, ${mean.toFixed(1)} minutes late`));
      assert.ok(out.includes(`explain ${(100 * explained).toFixed(1)} % of`), out);
      assert.equal(found.length, 17, out);
      for (const [i, [effect, bound]] of found.entries()) {
        assert.ok(Math.abs(effect! - effects[i]!) < 0.006, `${i}: ${effects[i]}\n${out}`);
        assert.ok(Math.abs(bound! - bounds[i]!) < 0.006, `${i}: ${bounds[i]}\n${out}`);
      }
      const picture = readFileSync(join(folder, 'regression.svg'), 'utf8');
      assert.equal([...picture.matchAll(/<circle /g)].length, 24 + 17);
      assert.doesNotMatch(picture, /NaN|undefined/);
    });

    describe('filters', () => {
      const values = (out: string) =>
        Object.fromEntries(
          [...out.matchAll(/^(\w+) +brightness ([\d.]+), give or take ([\d.]+)$/gm)].map(([, name, mean, spread]) => [
            name,
            { mean: Number(mean), spread: Number(spread) },
          ]),
        );

      it('paints a picture of its own', async () => {
        const out = await output('filters', folder);
        const { edges, pencil, oil, picture } = values(out) as Record<string, { mean: number; spread: number }>;
        // Oil takes the grain away, and leaves the colors; drawings are mostly paper.
        assert.ok(Math.abs(oil!.mean - picture!.mean) < 0.01 && oil!.spread < picture!.spread, out);
        assert.ok(edges!.mean > 0.8 && pencil!.mean > 0.7, out);
        const { width, height } = await sharp(join(folder, 'filters.png')).metadata();
        assert.deepEqual([width, height], [960, 640]);
      });

      it('takes a picture that is given', async () => {
        const given = join(folder, 'halves.png');
        const half = { create: { width: 30, height: 40, channels: 3, background: '#fff' } } as const;
        const black = { create: { width: 60, height: 40, channels: 3, background: '#000' } } as const;
        await sharp(black)
          .composite([{ input: half, left: 0, top: 0 }])
          .png()
          .toFile(given);
        const { edges, oil, picture } = values(await output('filters', folder, given)) as Record<
          string,
          { mean: number; spread: number }
        >;
        assert.deepEqual(picture, { mean: 0.5, spread: 0.5 });
        assert.deepEqual(oil, picture);
        // A line of two columns, where the brightness changes by as much as it can.
        const light = await sharp(join(folder, 'filters.png'))
          .extract({ left: 60, top: 1, width: 60, height: 38 })
          .greyscale()
          .raw()
          .toBuffer();
        const row = [...light.subarray(0, 60)];
        assert.deepEqual(
          row.flatMap((value, x) => (x > 0 && x < 59 && value < 10 ? [x] : [])),
          [29, 30],
        );
        assert.ok(edges!.mean < 1);
      });
    });
  });
