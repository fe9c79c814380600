/** First and longest pause between two tries to reach another service. */
export const retryPauseMs = { first: 50, longest: 30_000 };

/** Time for one call to another service. */
export const callTimeoutMs = 10_000;

/** Calls to other services that are under way at once; what else is owed waits for its turn. */
export const maxCallsAtOnce = 64;

/** How long the end of an execution waits for the projections that tell who subscribes to it. */
export const projectionWaitMs = 20_000;

/** How long a process that ends waits for its events to be published before it gives its partitions back. */
export const publisherGraceMs = 2_000;
