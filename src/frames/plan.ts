import { UsageError } from '../base/index.ts';
import type { Ref } from '../tasks/index.ts';
import { type Aggregate, aggregateSql, printedAggregate } from './aggregates.ts';
import { bind } from './bind.ts';
import { type ColumnKind, checkNames, columnNamed, dtOf } from './column-types.ts';
import type { Batch } from './columns.ts';
import { type Expression, printed } from './expression.ts';
import type { Block, Stats } from './frame-worker.ts';

/** Rows in the session's memory, and what is known of them. */
export interface Kept {
  readonly block: Ref<Block>;
  readonly stats: Stats;
}

export type How = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';

/** What a frame is made of. */
export type Plan =
  | {
      readonly op: 'scan';
      readonly format: 'parquet' | 'csv';
      readonly glob: string;
      readonly columns: readonly ColumnKind[] | undefined;
      readonly partitions: number | undefined;
    }
  | { readonly op: 'kept'; readonly columns: readonly ColumnKind[]; readonly parts: readonly Kept[] }
  | { readonly op: 'given'; readonly batch: Batch; readonly partitions: number | undefined }
  | { readonly op: 'where'; readonly of: Plan; readonly condition: Expression }
  | {
      readonly op: 'derive';
      readonly of: Plan;
      readonly made: readonly (readonly [name: string, expression: Expression])[];
    }
  | { readonly op: 'select'; readonly of: Plan; readonly names: readonly string[] }
  | { readonly op: 'head'; readonly of: Plan; readonly rows: number }
  | {
      readonly op: 'group';
      readonly of: Plan;
      readonly keys: readonly string[];
      readonly aggregates: readonly (readonly [name: string, aggregate: Aggregate])[];
    }
  | { readonly op: 'order'; readonly of: Plan; readonly keys: readonly OrderKey[] }
  | { readonly op: 'sql'; readonly of: Plan; readonly query: string }
  | {
      readonly op: 'batches';
      readonly of: Plan;
      readonly task: (columns: unknown) => Ref<unknown>;
      readonly columns: readonly ColumnKind[];
    }
  | {
      readonly op: 'join';
      readonly of: Plan;
      readonly right: Plan;
      readonly on: readonly (readonly [left: string, right: string])[];
      readonly how: How;
      readonly strategy: 'auto' | 'broadcast' | 'shuffle';
    };

export interface OrderKey {
  readonly name: string;
  readonly descending: boolean;
}

/** What the columns of a plan are when those of what it is made of are known; for what only the engine knows, undefined. */
export function columnsAfter(
  plan: Plan,
  of: readonly ColumnKind[],
  right: readonly ColumnKind[] = [],
): readonly ColumnKind[] | undefined {
  switch (plan.op) {
    case 'scan':
      return plan.columns;
    case 'kept':
    case 'batches':
      return plan.columns;
    case 'given':
      return plan.batch.columns.map(({ kind }) => kind);
    case 'sql':
      return undefined;
    case 'head':
      return of;
    case 'where': {
      conditionOf(plan.condition, of);
      return of;
    }
    case 'order':
      for (const { name } of plan.keys) columnNamed(of, name, 'orderBy');
      return of;
    case 'select':
      checkNames(plan.names, 'select');
      return plan.names.map((name) => columnNamed(of, name, 'select'));
    case 'derive': {
      const made = plan.made.map(([name, expression]) => ({
        name,
        ...bind(expression, of, `derive ${JSON.stringify(name)}`),
      }));
      const kept = of.map((column) => made.find(({ name }) => name === column.name) ?? column);
      const all = [...kept, ...made.filter(({ name }) => !of.some((column) => column.name === name))];
      checkNames(
        all.map(({ name }) => name),
        'derive',
      );
      return all.map(({ name, base, nullable }) => ({ name, base, nullable }));
    }
    case 'group': {
      const keys = plan.keys.map((name) => columnNamed(of, name, 'groupBy'));
      const made = plan.aggregates.map(([name, aggregate]) => aggregateSql(aggregate, name, of, '').column);
      checkNames(
        [...keys, ...made].map(({ name }) => name),
        'agg',
      );
      return [...keys, ...made];
    }
    case 'join':
      return joinedColumns(plan, of, right);
  }
}

/** A condition, bound. */
export function conditionOf(condition: Expression, columns: readonly ColumnKind[]): string {
  const bound = bind(condition, columns, 'where');
  if (bound.base === 'bool') return bound.sql;
  throw new UsageError(
    `where: ${printed(condition)} is ${dtOf(bound)}, and a condition is bool; compare it with something`,
    {
      code: 'ERR_SHEAF_FRAME_TYPE',
    },
  );
}

function joinedColumns(
  plan: Plan & { op: 'join' },
  of: readonly ColumnKind[],
  right: readonly ColumnKind[],
): readonly ColumnKind[] {
  for (const [l, r] of plan.on) {
    const [a, b] = [columnNamed(of, l, 'join: this frame'), columnNamed(right, r, 'join: the other frame')];
    bind(
      {
        op: 'call',
        name: 'eq',
        of: [
          { op: 'column', name: 'l' },
          { op: 'column', name: 'r' },
        ],
      },
      [
        { ...a, name: 'l' },
        { ...b, name: 'r' },
      ],
      `join: ${JSON.stringify(l)} and ${JSON.stringify(r)}`,
    );
  }
  if (plan.how === 'semi' || plan.how === 'anti') return of;
  const optional = (columns: readonly ColumnKind[], may: boolean) =>
    columns.map((column) => (may ? { ...column, nullable: true } : column));
  const own = of.map((column) => {
    const partner = plan.on.find(([l, r]) => l === column.name && r === l);
    // A key of the same name is that of either side, which is there.
    if (partner !== undefined)
      return { ...column, nullable: column.nullable || right.find(({ name }) => name === partner[1])!.nullable };
    return plan.how === 'right' || plan.how === 'full' ? { ...column, nullable: true } : column;
  });
  const others = right.filter(({ name }) => !of.some((column) => column.name === name));
  const all = [...own, ...optional(others, plan.how === 'left' || plan.how === 'full')];
  checkNames(
    all.map(({ name }) => name),
    'join',
  );
  return all;
}

/** What plans are made of: none, one or two. */
export function inputsOf(plan: Plan): readonly Plan[] {
  if (plan.op === 'scan' || plan.op === 'kept' || plan.op === 'given') return [];
  return plan.op === 'join' ? [plan.of, plan.right] : [plan.of];
}

const known = new WeakMap<Plan, readonly ColumnKind[] | null>();

/** The columns as far as they can be told without looking at files. */
export function columnsKnown(plan: Plan): readonly ColumnKind[] | undefined {
  const found = known.get(plan);
  if (found !== undefined) return found ?? undefined;
  const inputs = inputsOf(plan).map(columnsKnown);
  const columns =
    plan.op === 'batches'
      ? plan.columns
      : inputs.includes(undefined)
        ? undefined
        : columnsAfter(plan, inputs[0] ?? [], inputs[1]);
  known.set(plan, columns ?? null);
  return columns;
}

/** What a plan does, in a line. */
export function printedPlan(plan: Plan): string {
  switch (plan.op) {
    case 'scan':
      return `scan ${plan.format} ${plan.glob}${plan.columns === undefined ? '' : ` (${plan.columns.map((column) => `${column.name}: ${dtOf(column)}`).join(', ')})`}`;
    case 'kept':
      return `in memory: ${plan.parts.reduce((sum, { stats }) => sum + stats.rows, 0)} rows in ${plan.parts.length} partitions`;
    case 'given':
      return `columns: ${plan.batch.rows} rows`;
    case 'where':
      return `where ${printed(plan.condition)}`;
    case 'derive':
      return `derive ${plan.made.map(([name, expression]) => `${name} = ${printed(expression)}`).join(', ')}`;
    case 'select':
      return `select ${plan.names.join(', ')}`;
    case 'head':
      return `head ${plan.rows}`;
    case 'group':
      return `group by ${plan.keys.join(', ') || 'nothing'}: ${plan.aggregates.map(([name, aggregate]) => `${name} = ${printedAggregate(aggregate)}`).join(', ')}`;
    case 'order':
      return `order by ${plan.keys.map(({ name, descending }) => `${name}${descending ? ' descending' : ''}`).join(', ')}`;
    case 'sql':
      return `sql ${plan.query.replace(/\s+/g, ' ').trim()}`;
    case 'batches':
      return `batches to a task (${plan.columns.map((column) => `${column.name}: ${dtOf(column)}`).join(', ')})`;
    case 'join':
      return `${plan.how} join on ${plan.on.map(([l, r]) => `${l} = ${r}`).join(', ')}${plan.strategy === 'auto' ? '' : `, ${plan.strategy}`}`;
  }
}
