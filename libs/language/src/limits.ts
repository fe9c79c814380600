/** Bytes of a definition. */
export const MAX_SOURCE_BYTES = 1_048_576;
/** Collections inside collections. */
export const MAX_DEPTH = 100;
/** Lexical tokens of the YAML: 5,000 nodes with everything take 450,000. */
export const MAX_TOKENS = 600_000;
/** Faults of syntax after which a source is not read on: each costs as much as a hundred tokens. */
export const MAX_SYNTAX_ERRORS = 100;
/** Scalars, lists and maps of a definition, with every alias counted as what it stands for. */
export const MAX_VALUES = 400_000;
/** Nodes of a workflow. */
export const MAX_NODES = 5_000;
/** Groups, loops and bodies of maps inside one another. */
export const MAX_NESTING = 20;
/** Turns of a loop, unless it says otherwise. */
export const DEFAULT_MAX_TURNS = 1_000;
/** Turns of a loop, at most. */
export const MAX_TURNS = 1_000_000;
/** Items of a map that run at once, unless it says otherwise. */
export const DEFAULT_MAX_CONCURRENCY = 100;
/** Items of a map that run at once, at most. */
export const MAX_CONCURRENCY = 1_000;
/** Items of a map. */
export const MAX_MAP_ITEMS = 100_000;
/** Characters of the name of what the items of a map run: the ids of the workflow and of the maps around, with dots between. */
export const MAX_ITEM_WORKFLOW_LENGTH = 257;
/** Handlers of a node's errors. */
export const MAX_ERROR_HANDLERS = 32;
/** Characters of a condition over outcomes. */
export const MAX_DEPENDS_LENGTH = 4_096;
/** Updates of a workflow, and queries. */
export const MAX_INTERACTIONS = 100;
/** Findings of one run; the rest is only counted. */
export const MAX_FINDINGS = 200;
/** Characters of an id of a node, workflow, agent or tool. */
export const MAX_ID_LENGTH = 128;
/** Characters of a name and of a label. */
export const MAX_NAME_LENGTH = 256;
/** Characters of a description. */
export const MAX_DESCRIPTION_LENGTH = 4_096;
/** Labels of a workflow. */
export const MAX_LABELS = 64;
/** Attempts of a task in all. */
export const MAX_ATTEMPTS = 100;
/** Factor between the waits of two retries. */
export const MAX_BACKOFF = 100;
/** Error types that a retry policy may list. */
export const MAX_NON_RETRYABLE = 100;
/** Rules of a retry policy. */
export const MAX_RETRY_RULES = 32;
/** Longest duration of anything: 366 days, in milliseconds. */
export const MAX_DURATION_MS = 366 * 86_400_000;
/** Cases of a switch. */
export const MAX_CASES = 1_000;
/** Bytes of a JSON Schema, as JSON. */
export const MAX_SCHEMA_LENGTH = 65_536;
/** Schedules that a workflow may declare. */
export const MAX_SCHEDULES = 100;
/** Triggers that a workflow may declare. */
export const MAX_TRIGGERS = 100;
/** Events that a node sends to the state machine that it creates. */
export const MAX_MACHINE_EVENTS = 100;
/** States of a machine. */
export const MAX_STATES = 2_000;
/** Steps of the escalation of a human node. */
export const MAX_ESCALATIONS = 20;
/** People who answer one human node. */
export const MAX_QUORUM = 1_000;
