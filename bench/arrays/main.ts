/** The benchmark of arrays; see bench/run.mjs for its options. */
import { runSuite } from '../suite.ts';
import { chains, functions, short, unreleased } from './chains.ts';
import { files } from './files.ts';
import { choices, factorizations, products, sorting, sparse } from './linear.ts';
import { numbers } from './numbers.ts';
import { tiny } from './tiny.ts';

await runSuite({
  groups: [
    chains,
    unreleased,
    functions,
    short,
    numbers,
    products,
    factorizations,
    sparse,
    sorting,
    choices,
    files,
    tiny,
  ],
  peers: ['numpy', 'scipy', 'pandas', 'dask.array'],
});
