// Runs the programs of the demo, each by itself: npm run demo [-- flights|futures|digits|serving]
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/bundling.mjs';

const wanted = process.argv.slice(2);
const programs = ['flights', 'futures', 'digits', 'serving'].filter(
  (name) => wanted.length === 0 || wanted.includes(name),
);
const cli = join(root, 'dist/cli.js');
if (programs.length === 0 || !existsSync(cli)) {
  console.error(
    programs.length === 0
      ? 'usage: npm run demo [-- flights|futures|digits|serving]'
      : `${cli} is missing: npm run build`,
  );
  process.exit(2);
}
for (const name of programs) {
  console.log(`\n== sheaf run demo/${name}.ts`);
  const args = [cli, 'run', `demo/${name}.ts`];
  const { status, signal } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));
}
