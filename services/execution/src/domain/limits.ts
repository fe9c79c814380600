/** Sub-workflows inside one another; the outermost execution has depth 0. */
export const maxChildDepth = 32;

/** How long a service that stops waits for the events that are being published, before it gives its partitions away. */
export const publisherGraceMs = 1000;

/** Tasks in one frame to the scheduler. */
export const maxTasksPerFrame = 1000;

/** First and longest pause between two tries to reach another service. */
export const retryPauseMs = { first: 50, longest: 2000 };

/** The same for a link to the scheduler: whoever takes a shard over should hear of its tasks soon. */
export const linkRetryPauseMs = { first: 50, longest: 400 };

/** A replica of the scheduler that has not said anything for this long is given up, and another one is tried. */
export const firstFrameTimeoutMs = 1500;

/** A start that waits for the end answers this much before the caller's deadline. */
export const answerMarginMs = 250;

/** Longest wait of StartExecution. */
export const maxStartWaitMs = 600_000;

/** How long an event of an execution is kept for waits of others that begin later. */
export const recentEventsRetentionMs = 3_600_000;
/** Between two looks at which of them are too old, and how many one look deletes. */
export const recentEventsPruneIntervalMs = 60_000;
export const recentEventsPruneSize = 10_000;
/** How many of them are read at once for a wait that begins. */
export const recentEventsPage = 200;
/** Topics of others that a service follows. */
export const eventTopicsMax = 16;
/** Characters of the attributes of such an event that Heddle keeps. */
export const cloudEventMaxCharacters = { type: 128, subject: 255, sourceAndId: 1_024, namespace: 63 };
/** Nodes that are told of an event at once, and how many of them are read at once. */
export const eventDeliveriesAtOnce = 50;
export const eventWaitsPage = 1_000;
/** So much the clocks of two replicas may differ: an event counts for executions that seem to have begun so much after it. */
export const eventClockToleranceMs = 10_000;

/** A snapshot up to this size is written with every change of its execution. */
export const snapshotAlwaysBytes = 32 * 1024;

/** A larger one when the history since has this part of its size. */
export const snapshotHistoryShare = 0.5;

/** Executions that are read back from their snapshots and the history since at a time. */
export const restoreMaxExecutions = 50;

/** Longest wait of UpdateExecution, and the one of a call that has neither a wait nor a deadline. */
export const maxUpdateWaitMs = 600_000;
export const defaultUpdateWaitMs = 60_000;

/** How long a start waits for the execution whose place it takes to end. */
export const keyReplacementWaitMs = 10_000;

/** How long DeleteExecution waits for the projection of the end. */
export const deletionWaitMs = 5_000;

/** Executions that one statement of the background purge deletes, and the pause before the next. */
export const purgeBatchSize = 200;
export const purgePauseMs = 50;

/** Between two looks of the purge at everything. */
export const purgeIntervalMs = 60_000;

/** Targets that a batch claims at a time, and how many of them it works on at once. */
export const batchPageSize = 100;
export const batchConcurrency = 10;

/** Between two counts of open incidents for the metric. */
export const incidentCountIntervalMs = 15_000;

/** Incidents of one execution that a batch reads at a time. */
export const incidentsPage = 200;

/** Targets of a batch in a second, unless it says otherwise. */
export const batchRateDefault = 100;

/** A batch looks at its rate of errors from so many targets on. */
export const batchErrorRateFrom = 10;

/** Failures that GetBatch shows. */
export const batchFailuresShown = 100;

/** How long CreateBatch waits for what was committed before it to be seen by lists. */
export const batchProjectionWaitMs = 5_000;

/** Between two looks for batches that run. */
export const batchIntervalMs = 500;

/** Bytes of snapshots on one page of a scan, beyond which the next page begins. */
export const scanMaxSnapshotBytes = 8 * 1024 * 1024;

/** Executions in one message of an inspection, and bytes of states that it holds until they are compared. */
export const inspectMaxExecutions = 50;
export const inspectMaxStateBytes = 4 * 1024 * 1024;

/** Flushes of the journal that an inspection reads beyond the projection; what is further behind is not compared. */
export const inspectMaxFlushes = 1000;

/** Events that a replay for diagnostics reads at a time; between two reads the process does other work. */
export const replayPageEvents = 500;
