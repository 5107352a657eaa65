/** Reading numbers from a text. */
import { writeFileSync } from 'node:fs';
import { readCsv } from '../../src/arrays/index.ts';
import type { Group } from '../suite.ts';
import { group, mixed } from './bench.ts';

const ROWS = 200_000;
const COLUMNS = 10;

const CSV = `CSV of ${ROWS} x ${COLUMNS} numbers`;

export const files: Group = group([CSV], (bench) => {
  const path = bench.path('numbers.csv');
  const numbers = mixed(ROWS * COLUMNS);
  const lines: string[] = [];
  for (let row = 0; row < ROWS; row++) {
    const fields = Array.from(numbers.subarray(row * COLUMNS, (row + 1) * COLUMNS), (x) => (x * 1000).toFixed(6));
    lines.push(`${fields.join(',')}\n`);
  }
  writeFileSync(path, lines.join(''));
  const file = JSON.stringify(path);
  return [
    bench.compared({
      name: CSV,
      ours: () => ({
        run: () => readCsv(path),
        async value() {
          const x = await readCsv(path);
          return { shape: x.shape, elements: await x.data() };
        },
      }),
      setup: 'try:\n    import pandas as pd\nexcept ImportError:\n    pd = None',
      peers: {
        numpy: `np.loadtxt(${file}, delimiter=",")`,
        pandas: `pd.read_csv(${file}, header=None).to_numpy()`,
      },
      ratios: { numpy: 3, pandas: 1 },
      // pandas itself reads the last digit otherwise.
      tolerance: 1e-15,
    }),
  ];
});
