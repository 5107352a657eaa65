import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runText } from '../scripts.fixture.ts';
import { CASES, type Case } from './index.ts';

/** What is wrong with how a case came out. */
async function fault(each: Case, flags: readonly string[]): Promise<string | undefined> {
  const { code, stdout, stderr } = await runText(each.script, {
    args: each.args ?? [],
    flags,
    ...(each.files === undefined ? {} : { files: each.files }),
  });
  const got = `${each.script}\n  exit code ${code}, printed ${JSON.stringify(stdout)}`;
  if (stderr !== '') return `${got}\n  and on standard error ${JSON.stringify(stderr)}`;
  if ('prints' in each)
    return code === 0 && stdout === each.prints ? undefined : `${got}\n  instead of ${JSON.stringify(each.prints)}`;
  if (code !== each.fails) return `${got}\n  instead of exit code ${each.fails}`;
  if (!stdout.includes('[error]: ')) return `${got}\n  without [error]`;
  return each.says === undefined || each.says.test(stdout) ? undefined : `${got}\n  without ${each.says}`;
}

for (const [name, cases] of Object.entries(CASES)) {
  describe(`DaphneDSL: ${name}`, () => {
    for (const [about, table] of Object.entries(cases)) {
      it(about, async () => {
        const faults: string[] = [];
        for (const flags of [[], ['--vec'], ['--columnar'], ['--select-matrix-repr']]) {
          for (const each of table) {
            const found = await fault(each, flags);
            if (found !== undefined) faults.push(`${flags.join(' ')} ${found}`);
          }
          if (faults.length > 0) break;
        }
        assert.equal(faults.length, 0, `${faults.length} of ${table.length}:\n${faults.join('\n')}`);
      });
    }
  });
}
