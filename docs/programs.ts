/**
 * Finds the complete programs in Markdown pages. The info string of a fenced block says what it is:
 *
 *     ```ts run            a program, run by `sheaf run`
 *     ```js run            the same, run by `node`
 *     ```ts run workers    one that shows what only workers can do; others are run inline, too
 *     ```ts file=x.ts      a module that the programs of the page import as './x.ts'
 *     ```text output       what the program just before prints, exactly
 *
 * Blocks with nothing but a language are fragments, and are not looked at.
 */
export interface Block {
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

export interface Program {
  readonly page: string;
  /** Of the block's first line in the page. */
  readonly line: number;
  readonly language: 'ts' | 'js';
  readonly text: string;
  /** It shows what only workers can do. */
  readonly workers: boolean;
  /** Undefined: anything. */
  readonly output: string | undefined;
}

export interface Page {
  readonly files: ReadonlyMap<string, string>;
  readonly programs: readonly Program[];
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; text: string[] } | undefined;
  for (const [i, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const start = /^```(\S.*)?$/.exec(line);
      if (start !== null) open = { line: i + 2, info: start[1] ?? '', text: [] };
    } else if (line === '```') {
      const [language = '', ...words] = open.info.split(/\s+/);
      blocks.push({ line: open.line, language, words, text: open.text.map((each) => `${each}\n`).join('') });
      open = undefined;
    } else open.text.push(line);
  }
  if (open !== undefined) throw new Error(`the block that begins before line ${open.line} has no end`);
  return blocks;
}

export function pageOf(page: string, markdown: string): Page {
  const blocks = blocksOf(markdown);
  const files = new Map<string, string>();
  const programs: Program[] = [];
  for (const [i, { language, words, text, line }] of blocks.entries()) {
    const name = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    if (name !== undefined) files.set(name, text);
    if (!words.includes('run')) continue;
    if (language !== 'ts' && language !== 'js') throw new Error(`${page}:${line}: ${language} can't be run`);
    const next = blocks[i + 1];
    const output = next?.words.includes('output') ? next.text : undefined;
    programs.push({ page, line, language, text, workers: words.includes('workers'), output });
  }
  return { files, programs };
}
