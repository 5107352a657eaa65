/**
 * How long actors have that do something at their end, in milliseconds: when their session is closed, when a signal ends the program,
 * and when their worker ends of an error that nobody caught.
 */
export const ACTORS_END_MS = { close: 5000, exit: 2000, crash: 2000 } as const;

/** The same for what has to be done apart from that. */
export const SESSION_END_MS = { close: 2000, exit: 900 } as const;
