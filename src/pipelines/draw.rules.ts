import { shapeText } from '../nd/index.ts';
import { type Explained, kernelLines, opText, stepText } from './explain.rules.ts';
import type { Node } from './graph.ts';

/** Larger graphs are drawn from their end: nobody can look at more. */
const MOST_NODES = 150;
const MOST_KERNEL_LINES = 16;

const BOX = { width: 150, height: 40, across: 30, down: 36 };
const LINE = 15;
const WIDE = 520;
const COLOURS = ['#e8f0fe', '#e6f4ea', '#fef7e0', '#fce8e6', '#f3e8fd', '#e4f7fb'];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function text(x: number, y: number, what: string, extra = ''): string {
  return `<text x="${x}" y="${y}"${extra}>${escaped(what)}</text>`;
}

function box(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="5" fill="${fill}" stroke="#5f6368"/>`;
}

/** The graph on the left, the plan with its kernels on the right, as an SVG document. */
export function explainSvg(explained: Explained): string {
  const graph = drawGraph(explained);
  const plan = drawPlan(explained);
  const width = graph.width + plan.width + 60;
  const height = Math.max(graph.height, plan.height) + 60;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="11">`,
    '<title>A graph of arrays, and the plan by which it is computed</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(20, 24, 'graph', ' font-size="14"'),
    `<g transform="translate(20,40)">${graph.parts.join('')}</g>`,
    text(graph.width + 40, 24, 'plan', ' font-size="14"'),
    `<g transform="translate(${graph.width + 40},40)">${plan.parts.join('')}</g>`,
    '</svg>\n',
  ].join('\n');
}

interface Drawing {
  readonly parts: readonly string[];
  readonly width: number;
  readonly height: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** From a node to one below it; past those that lie between them, at their side. */
function edge(from: Point, to: Point): string {
  const next = to.y - from.y === BOX.height + BOX.down;
  const [x1, y1] = next ? [from.x + BOX.width / 2, from.y + BOX.height] : [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = next ? [to.x + BOX.width / 2, to.y] : [to.x + BOX.width, to.y + BOX.height / 2];
  const path = next
    ? `M${x1} ${y1}L${x2} ${y2}`
    : `M${x1} ${y1}C${x1 + BOX.across} ${y1} ${x2 + BOX.across} ${y2} ${x2} ${y2}`;
  return `<path d="${path}" fill="none" stroke="#9aa0a6"/>`;
}

/** Nodes in rows, each below all that it is made of. */
function drawGraph({ nodes, roots }: Explained): Drawing {
  const shown = nodes.slice(-MOST_NODES);
  const depths = new Map<Node, number>();
  const rows: Node[][] = [];
  for (const node of shown) {
    const depth = node.args.reduce((most, arg) => Math.max(most, (depths.get(arg) ?? -1) + 1), 0);
    depths.set(node, depth);
    rows[depth] ??= [];
    (rows[depth] as Node[]).push(node);
  }
  const places = new Map<Node, Point>();
  for (const [depth, row] of rows.entries()) {
    for (const [i, node] of row.entries())
      places.set(node, { x: i * (BOX.width + BOX.across), y: depth * (BOX.height + BOX.down) });
  }
  const parts: string[] = [];
  for (const node of shown) {
    const to = places.get(node) as Point;
    for (const arg of node.args) {
      const from = places.get(arg);
      if (from === undefined) continue;
      parts.push(edge(from, to));
    }
  }
  for (const node of shown) {
    const { x, y } = places.get(node) as Point;
    const fill = roots.includes(node) ? '#fde293' : node.op.kind === 'source' ? '#d2e3fc' : '#f1f3f4';
    parts.push(box(x, y, BOX.width, BOX.height, fill));
    parts.push(text(x + 6, y + 16, cut(opText(node.op), 22)));
    parts.push(text(x + 6, y + 32, cut(`${node.dtype} ${shapeText(node.shape)}`, 22), ' fill="#5f6368"'));
  }
  const widest = Math.max(1, ...rows.map((row) => row.length));
  return {
    parts,
    width: widest * (BOX.width + BOX.across),
    height: rows.length * (BOX.height + BOX.down),
  };
}

/** Steps from top to bottom, the kernels of each pipeline within. */
function drawPlan({ plan }: Explained): Drawing {
  const parts: string[] = [];
  let y = 0;
  for (const [i, step] of plan.steps.slice(0, MOST_NODES).entries()) {
    const inner: string[] = [];
    let height = 28;
    if (step.kind === 'pipeline') {
      for (const call of step.pipeline.calls.slice(0, MOST_NODES)) {
        const all = kernelLines(call, step.pipeline, plan);
        const lines = all.length > MOST_KERNEL_LINES ? [...all.slice(0, MOST_KERNEL_LINES - 1), '…'] : all;
        inner.push(box(10, height, WIDE - 20, (lines.length + 1) * LINE, '#ffffff'));
        for (const [k, line] of lines.entries()) inner.push(text(18, height + (k + 1) * LINE, cut(line, 74)));
        height += (lines.length + 1) * LINE + 8;
      }
    }
    parts.push(
      `<g transform="translate(0,${y})">`,
      box(0, 0, WIDE, height, COLOURS[i % COLOURS.length] as string),
      text(10, 18, cut(`${i + 1}. ${stepText(step, plan)}`, 76), ' font-weight="bold"'),
      ...inner,
      '</g>',
    );
    y += height + 14;
  }
  return { parts, width: WIDE, height: y };
}
