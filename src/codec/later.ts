const later = new Map<string, () => void>();

/** What registers the codec of that id is loaded when the first value of it arrives, and not before. */
export function codecComesWith(id: string, load: () => void): void {
  later.set(id, load);
}

/** Loads it, if anybody has said what to load. */
export function loadCodec(id: string): void {
  const load = later.get(id);
  later.delete(id);
  load?.();
}
