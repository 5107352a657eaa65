import { FLAGS, type Group } from './flags.ts';
import { usage } from './options.ts';

const GROUPS: readonly Group[] = [
  'DAPHNE Options',
  'Advanced Scheduling Knobs',
  'Distributed Backend Knobs',
  'Generic Options',
];

/** `--help`. */
export function helpText(command: string): string {
  const lines = ['Runs a DaphneDSL script.', '', `USAGE: ${command} [options] script [arguments]`];
  for (const group of GROUPS) {
    lines.push('', `${group}:`);
    for (const flag of FLAGS) {
      if (flag.group !== group) continue;
      const note = flag.refused ?? flag.unused;
      const how = flag.refused === undefined ? 'no effect' : 'refused';
      lines.push(`  ${usage(flag)}`, `      ${flag.help}${note === undefined ? '' : ` (${how}: ${note})`}`);
      if (flag.kind === 'choices') lines.push(`      stages: ${flag.choices.join(', ')}`);
    }
  }
  lines.push(
    '',
    'EXAMPLES:',
    `  ${command} example.daphne`,
    `  ${command} --vec example.daphne x=1 y=2.2 z=\\"foo\\"`,
    `  ${command} --vec --args x=1,y=2.2 example.daphne z=\\"foo\\"`,
    '',
    'Exit codes: 0, or 1 for errors in syntax, names, types and options, 2 in shapes and SQL, 3 in the run.',
  );
  return `${lines.join('\n')}\n`;
}
