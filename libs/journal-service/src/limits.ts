/** Payloads with more bytes of JSON text than this are stored beside the journal and referenced. */
export const claimPayloadBytes = 64 * 1024;

/** Largest input of a start or creation, as bytes of JSON text. */
export const maxInputBytes = 1024 * 1024;

/** Plans that are kept linked in memory beside those that live aggregates hold. */
export const maxCachedPlans = 1000;

/** Definitions whose plans wait to be loaded ahead; those that have waited longest are left to the first start. */
export const maxPlansToLoad = 1000;

/** Pause before plans are loaded ahead again when the definition service was away. */
export const planLoadPauseMs = 2000;

/** Events in one message of a watch. */
export const maxEventsPerWatchMessage = 500;

/** Bytes of events in one message of a history or a watch, beyond which the next page begins. */
export const maxHistoryMessageBytes = 1024 * 1024;

/** Watches that one process serves at once. */
export const maxWatches = 10_000;

/** How long a key of something that has ended is still answered from memory, while the projection catches up. */
export const requestIdMemoryMs = 60_000;
