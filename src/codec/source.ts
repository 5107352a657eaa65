/** What travels beside a body. */
export interface DecodeSource {
  /** For each entry of `Encoded.buffers` a buffer of exactly its length; decoded views look straight into it. */
  readonly buffers: readonly ArrayBufferLike[];
  /** For each entry of `Encoded.refs` what takes its place. */
  readonly refs: readonly unknown[];
  /** By number of placeholder, the values to fill in. */
  readonly deps: readonly unknown[];
}

export const emptySource: DecodeSource = Object.freeze({
  buffers: Object.freeze([]),
  refs: Object.freeze([]),
  deps: Object.freeze([]),
});
