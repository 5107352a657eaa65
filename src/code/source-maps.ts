import { readFileSync } from 'node:fs';
import { fileOf } from './strip.ts';

const mark = '//# sourceMappingURL=';

// biome-ignore lint/security/noGlobalEval: what is evaluated is empty; there is no other way to tell Node of a map.
const evaluate = eval;

/** Files whose maps this process knows. */
const known = new Set<string>();

/** Where the map of a text is, as its last comment of that kind says. */
function mapOf(text: string): string | undefined {
  const at = text.lastIndexOf(mark);
  return at < 0 ? undefined : /^\S+/.exec(text.slice(at + mark.length))?.[0];
}

/** Whether a tool that has written the text has written a source map as well. */
export function namesMap(text: string): boolean {
  return mapOf(text) !== undefined;
}

/**
 * Has stacks of what is run under the name of this file shown as its source map says, where maps are enabled. Node reads the maps of
 * modules, and of code that is given to `eval` and has a name of its own, but not those of scripts as slices are. So an empty piece of code is
 * evaluated that has the name of the file, and its map.
 */
export function mapStacks(url: string): void {
  if (known.has(url) || !url.startsWith('file:')) return;
  known.add(url);
  try {
    const map = mapOf(readFileSync(fileOf(url), 'utf8'));
    if (map !== undefined) evaluate(`0\n//# sourceURL=${url}\n${mark}${map}`);
  } catch {
    // The file is not here, or evaluating is forbidden: stacks show lines of the file that was run.
  }
}
