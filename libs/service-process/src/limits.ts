/** Pauses between attempts to reach the database at the start of a process. */
export const DATABASE_RETRY_MS = 250;

/** While the database stays away, this often a line says so. */
export const DATABASE_COMPLAINT_MS = 5_000;

/** `migrate` gives up after this long without a database: whoever waits for it is told, and can start it again. */
export const MIGRATE_WAIT_MS = 60_000;

/** Calls that wait inside the service are ended by its own stop; the others have this long to finish before it. */
export const CALLS_GRACE_MS = 1_000;

/** Time of a whole shutdown; after it the process ends with code 1. */
export const SHUTDOWN_TIMEOUT_MS = 30_000;

/** What callers are told to wait while the process starts. */
export const STARTING_RETRY_AFTER_MS = 500;
