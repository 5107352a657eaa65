/**
 * Crawls a site: pages are fetched and read by tasks, a bounded number at once, each page once. The links that come back feed the
 * source that `map` pulls from. The site is served by this program, on the loopback interface, and has what sites have: cycles,
 * links elsewhere, a slow page, a broken link.
 *
 *   sheaf run examples/crawler.ts [pages]
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { connect, current, task } from 'sheaf';

const AT_ONCE = 8;

interface Page {
  readonly words: number;
  readonly links: readonly string[];
  readonly ms: number;
}

/** Fetching is mostly waiting: a quarter of a core each. */
const visit = task(
  async (url: string): Promise<Page> => {
    const started = performance.now();
    const response = await fetch(url, { signal: current().signal });
    const html = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    const links = new Set<string>();
    for (const [, href] of html.matchAll(/<a\s[^>]*href="([^"]*)"/g)) {
      const link = new URL(href!, url);
      link.hash = '';
      if (link.origin === new URL(url).origin) links.add(link.href);
    }
    const words = html.replace(/<[^>]*>/g, ' ').match(/\p{L}+/gu)?.length ?? 0;
    return { words, links: [...links], ms: performance.now() - started };
  },
  { name: 'visit' },
).with({ cpus: 0.25, timeout: '30s' });

/** Addresses to visit, each once. It ends when no visit is under way that might find more. */
class Frontier {
  /** Address to how it was found. */
  readonly known = new Map<string, { depth: number; from: string | undefined }>();
  readonly #next: string[] = [];
  #open = 0;
  #wake = (): void => {};

  add(url: string, from?: string): void {
    if (this.known.has(url)) return;
    const depth = from === undefined ? 0 : this.known.get(from)!.depth + 1;
    this.known.set(url, { depth, from });
    this.#next.push(url);
    this.#open++;
    this.#wake();
  }

  visited(url: string, links: readonly string[]): void {
    for (const link of links) this.add(link, url);
    this.#open--;
    this.#wake();
  }

  async *urls(): AsyncGenerator<string> {
    while (this.#open > 0) {
      const url = this.#next.shift();
      if (url !== undefined) yield url;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** A site of so many pages below /page/0, and how often each of its pages was asked for. */
async function serveSite(pages: number) {
  const asked = new Map<string, number>();
  let [now, most] = [0, 0];
  const linksOf = (n: number) => [`/page/${2 * n + 1}`, `${2 * n + 2}#top`, `/page/${(n * n + 7) % pages}`, '/page/0'];
  const server = createServer(async ({ url = '' }, response) => {
    asked.set(url, (asked.get(url) ?? 0) + 1);
    most = Math.max(most, ++now);
    await setTimeout(url === '/page/5' ? 1000 : 5);
    now--;
    const n = Number(/^\/page\/(\d+)$/.exec(url)?.[1] ?? Number.NaN);
    if (!(n < pages)) return response.writeHead(404).end();
    const links = linksOf(n).filter((link) => Number(/\d+/.exec(link)![0]) < pages);
    // A page that was moved, and that one page still links to; and a site that is none of our business.
    if (n === 20) links.push('/moved');
    if (n === 21) links.push('http://elsewhere.example/');
    const text = 'All that is found here is made of words. '.repeat(1 + (n % 13));
    response.setHeader('content-type', 'text/html');
    response.end(`<title>Page ${n}</title><p>${text}</p>${links.map((to) => `<a href="${to}">more</a>`).join('\n')}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/page/0`, asked, most: () => most, [Symbol.dispose]: close };
}

const pages = Number(process.argv[2] ?? 300);
if (!(Number.isInteger(pages) && pages > 0)) {
  console.error('usage: sheaf run crawler.ts [pages]');
  process.exit(2);
}
using site = await serveSite(pages);
await using _session = await connect();

const frontier = new Frontier();
frontier.add(site.url);
const byDepth = new Map<number, { pages: number; words: number; slowest: number }>();
const linked = new Map<string, number>();
const broken: string[] = [];
const begun = performance.now();
for await (const outcome of visit.map(frontier.urls(), { inFlight: AT_ONCE, ordered: false })) {
  const url = outcome.input;
  const { depth, from } = frontier.known.get(url)!;
  if (!outcome.ok) {
    broken.push(`${new URL(url).pathname}: ${outcome.error.message}, linked from ${new URL(from ?? url).pathname}`);
    frontier.visited(url, []);
    continue;
  }
  const { words, links, ms } = outcome.value;
  const row = byDepth.get(depth) ?? { pages: 0, words: 0, slowest: 0 };
  byDepth.set(depth, { pages: row.pages + 1, words: row.words + words, slowest: Math.max(row.slowest, ms) });
  for (const link of links) linked.set(link, (linked.get(link) ?? 0) + 1);
  frontier.visited(url, links);
}

const pad = (cells: readonly unknown[]) => cells.map((cell) => String(cell).padStart(8)).join('');
console.log(pad(['links', 'pages', 'words', 'slowest']));
for (const [depth, { pages, words, slowest }] of [...byDepth].sort(([a], [b]) => a - b))
  console.log(`${pad([depth, pages, words, slowest.toFixed(0)])} ms`);
console.log('\nmost linked to');
const often = [...linked].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
for (const [url, n] of often.slice(0, 4)) console.log(`${pad([n])}  ${new URL(url).pathname}`);
for (const line of broken) console.log(`\nbroken   ${line}`);
const twice = [...site.asked.values()].filter((n) => n > 1).length;
const seconds = ((performance.now() - begun) / 1000).toFixed(1);
console.log(`\n${site.asked.size} addresses in ${seconds} s, ${twice} asked for twice, at most ${site.most()} at once`);
