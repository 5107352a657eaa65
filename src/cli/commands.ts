import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { SheafError } from '../base/index.ts';
import { CommandError, red } from './output.ts';

const USAGE = 2;

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What is left to do once the arguments are understood; its errors are the program's own. */
let program: (() => Promise<void>) | undefined;

function commands(): Command {
  const sheaf = new Command('sheaf')
    .description('Runs TypeScript programs on every core: tasks, futures with owners, zero-copy memory.')
    .version(version())
    .enablePositionalOptions()
    .showHelpAfterError('(--help says more)')
    .exitOverride();

  sheaf
    .command('run')
    .description('run a program: TypeScript or JavaScript, without a build')
    .argument('<file>', '.ts .mts .cts .js .mjs .cjs')
    .argument('[args...]', 'what the program finds in process.argv')
    .option('--cpus <n>', 'cores that connect() takes (SHEAF_CPUS); default: all')
    .option('--memory <size>', "memory for objects, such as '2GiB' (SHEAF_MEMORY); default: 0.3 of the machine's")
    .option('--isolation <kind>', 'process or thread (SHEAF_ISOLATION); default: processes where they work')
    .option('--inspect-task <name>', 'stop each run of the task of that name for a debugger (SHEAF_INSPECT_TASK)')
    .option('--inline', 'everything in one thread, for debuggers (SHEAF_MODE=inline)')
    .passThroughOptions()
    .action(async (file: string, args: string[], options: object) => {
      const { prepareRun } = await import('./run.ts');
      program = prepareRun(file, args, options);
    });

  sheaf
    .command('daphne')
    .description("run a script in DaphneDSL, with DAPHNE's options; `sheaf daphne --help` lists them")
    .argument('[args...]', 'options, the script, and its arguments: name=value')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const { daphne } = await import('./daphne.ts');
      program = () => daphne(args, 'sheaf daphne');
    });

  sheaf
    .command('explain')
    .description('how lazy arrays are computed: the graph, the pipelines, the kernels and the plan')
    .argument('<file>', 'a module that exports an array, or a function that gives one; with --run, a program')
    .argument(
      '[args...]',
      'for the function: numbers, and arrays as f64:1000x100; with --run, for the program, behind --',
    )
    .option('--export <name>', 'the export to explain; default: the only one that is an array')
    .option('--svg <path>', 'draw it there; with --run, a folder for a drawing of each computation')
    .option('--run', 'run the program, and explain on standard error what it computes, with its line')
    .option('--json', 'the graph and the plan as JSON')
    .action(async (file: string, args: string[], options: object) => {
      const { explain } = await import('./explain.ts');
      program = await explain(file, args, options);
    });

  sheaf
    .command('status')
    .description('what your running sessions do, and what they wait for')
    .option('--json', 'as JSON')
    .action(async (options: object) => {
      const { status } = await import('./status.ts');
      await status(options);
    });

  sheaf
    .command('tasks')
    .description('the tasks of your running sessions: where each is, for how long, and what it waits for')
    .option('--limit <n>', 'rows for each session; default: 100')
    .option('--json', 'as JSON')
    .action(async (options: object) => {
      const { tasks } = await import('./tasks.ts');
      await tasks(options);
    });

  sheaf
    .command('actors')
    .description('the actors of your running sessions: where each is, and how many calls it has')
    .option('--limit <n>', 'rows for each session; default: 100')
    .option('--json', 'as JSON')
    .action(async (options: object) => {
      const { actors } = await import('./actors.ts');
      await actors(options);
    });

  sheaf
    .command('objects')
    .description('the values in shared memory: how large, where, who holds them, and which line has made them')
    .option('--by <what>', 'callsite: bytes and counts by the line that has made them')
    .option('--limit <n>', 'rows for each session; default: 100')
    .option('--json', 'as JSON')
    .action(async (options: object) => {
      const { objects } = await import('./objects.ts');
      await objects(options);
    });

  sheaf
    .command('timeline')
    .description('records which worker runs what, and writes it for Perfetto (https://ui.perfetto.dev)')
    .argument('<file>', 'the recording, in the trace event format of Chrome')
    .option('--seconds <n>', 'how long; default: 5')
    .option('--json', 'what was recorded in short, as JSON')
    .action(async (file: string, options: object) => {
      const { timeline } = await import('./timeline.ts');
      await timeline(file, options);
    });

  sheaf
    .command('doctor')
    .description('whether this machine has all it takes')
    .option('--json', 'as JSON')
    .action(async (options: object) => {
      const { doctor } = await import('./doctor.ts');
      await doctor(options);
    });
  return sheaf;
}

async function understand(): Promise<void> {
  const sheaf = commands();
  try {
    if (process.argv.length <= 2) sheaf.help({ error: true });
    await sheaf.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has said by itself what is wrong.
      process.exitCode = error.exitCode === 0 ? 0 : USAGE;
    } else if (error instanceof CommandError || error instanceof SheafError) {
      process.stderr.write(`${red('error:')} ${error.message}\n`);
      process.exitCode = error instanceof CommandError ? error.exitCode : USAGE;
    } else throw error;
  }
}

/** Standard output that can't be written: its reader has what it wanted (`sheaf status | head`), or its disk is full. */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`${red('error:')} standard output can't be written: ${error.message}\n`);
  process.exit(1);
}

// Of a program that is run, standard output is its own business.
if (process.argv[2] !== 'run' && process.argv[2] !== 'explain') process.stdout.on('error', outputFailed);
await understand();
await program?.();
