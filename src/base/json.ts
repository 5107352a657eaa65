const DEEPEST = 32;

/**
 * An error in a form that `JSON.stringify` takes, whatever is in its details and causes: what JSON lacks is text, and a
 * circle is cut where it closes. For logs: it says what there was, and is not meant to be read back.
 */
export function errorToJson(error: Error): Record<string, unknown> {
  return fieldsOf(error, []);
}

/** `above`: the objects that contain this one. */
function convert(value: unknown, above: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return String(value);
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${value.name}]`;
    default:
      return value === null ? null : convertObject(value as object, above);
  }
}

function convertObject(value: object, above: readonly object[]): unknown {
  if (above.includes(value)) return '[circular]';
  if (above.length >= DEEPEST) return '[too deep]';
  try {
    if (value instanceof Error) return fieldsOf(value, above);
    const inside = [...above, value];
    if (Array.isArray(value)) return value.map((item) => convert(item, inside));
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') return convert(toJSON.call(value), inside);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, inside)]));
  } catch {
    // A getter, a proxy or a toJSON of the program's own that throws.
    return '[unreadable]';
  }
}

function fieldsOf(error: Error, above: readonly object[]): Record<string, unknown> {
  const inside = [...above, error];
  const { code, details } = error as { code?: unknown; details?: unknown };
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(details === undefined ? {} : { details: convert(details, inside) }),
    ...(error.cause === undefined ? {} : { cause: convert(error.cause, inside) }),
  };
}
