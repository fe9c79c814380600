/** First and longest pause between two tries to reach another service. */
export const retryPauseMs = { first: 50, longest: 30_000 };

/** Time for one call to another service. */
export const callTimeoutMs = 10_000;

/** Calls to other services that are under way at once; what else is owed waits for its turn. */
export const maxCallsAtOnce = 64;
