import type { Address, Cell, FromControl } from '../../../src/protocol/index.ts';

/** A value, and what the references inside must turn out to be. */
export interface Value {
  readonly n: number;
  readonly expect: readonly number[];
  readonly failure?: string;
}

/** What user code holds. */
export interface Handle {
  readonly cell: Cell;
  readonly n: number;
}

export type Kind = 'sum' | 'wrap' | 'make' | 'delegate';

export type Mail = {
  readonly type: 'mail';
  readonly to: number;
  readonly id: string;
  readonly n: number;
  readonly by: number;
};

/** What control threads say to each other. */
export type BetweenNodes =
  | { readonly type: 'add'; readonly id: string; readonly party: string; readonly by: string | null }
  | {
      readonly type: 'remove';
      readonly id: string;
      readonly party: string;
      readonly count: number;
      readonly by: string | null;
    }
  | { readonly type: 'resolve'; readonly id: string; readonly party: string }
  | { readonly type: 'tell'; readonly party: string; readonly message: FromControl<Value> }
  | { readonly type: 'dying' | 'buried' | 'died'; readonly address: Address }
  | { readonly type: 'ask'; readonly request: string }
  | { readonly type: 'answer'; readonly request: string; readonly answer: number }
  | Mail;
