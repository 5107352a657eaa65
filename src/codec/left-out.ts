import { CodecError } from '../base/index.ts';

/** In the place of a field: what the class of an error has registered. */
export const itsCodec = Symbol('its codec');

/** A field of an error by its name, an item of its `errors` by its index, or its codec. */
export type FieldKey = string | number | typeof itsCodec;

/** An error with more that can't travel than this is beyond help: each costs one more look at the whole. */
const MOST = 100;

/** What of an error, and of the errors in it, can't travel, and what stands in its place. */
export class LeftOut {
  readonly #fields = new Map<object, Map<FieldKey, unknown>>();
  #culprit: { readonly error: object; readonly key: FieldKey } | undefined;
  #count = 0;

  of(error: object): ReadonlyMap<FieldKey, unknown> | undefined {
    return this.#fields.get(error);
  }

  /**
   * Something in this field can't be sent. The innermost error around it says so first; where not even what stands in its
   * place can be sent there (it is nested too deeply), the one around that.
   */
  blame(error: object, key: FieldKey): void {
    if (this.#culprit === undefined && this.#fields.get(error)?.has(key) !== true) this.#culprit = { error, key };
  }

  /** Puts `failure` in the place of the field that was blamed for it; false when there is none. */
  leaveOut(failure: CodecError): boolean {
    const culprit = this.#culprit;
    this.#culprit = undefined;
    if (culprit === undefined || this.#count === MOST) return false;
    const { error, key } = culprit;
    let fields = this.#fields.get(error);
    if (fields === undefined) {
      fields = new Map();
      this.#fields.set(error, fields);
    }
    fields.set(key, instead(key, failure));
    this.#count++;
    return true;
  }
}

function instead(key: FieldKey, { message, details }: CodecError): unknown {
  // Everybody takes these for texts, and `errors` for a list.
  if (key === 'name' || key === 'message' || key === 'stack') return message;
  const error = new CodecError(message, details === undefined ? {} : { details });
  // Where the encoder was at that moment says nothing.
  error.stack = String(error);
  return key === 'errors' ? [error] : error;
}
