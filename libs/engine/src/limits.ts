/** Bytes of one output, input or signal payload as JSON text, unless the context of `decide` says otherwise. */
export const DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576;
/** Lists and objects inside one another in a payload: readers of JSON and protobuf are recursive. */
export const MAX_PAYLOAD_DEPTH = 100;
/** All that one execution holds, about. A snapshot is one string, and even if every character had to be escaped it fits into one. */
export const MAX_EXECUTION_PAYLOAD_BYTES = 67_108_864;
/** Events of one turn. What is left goes on with the next turn, which is due at once: see `drive`. */
export const MAX_EVENTS_PER_TURN = 10_000;
/** Payload that one turn may add before it yields to the neighbours of its process. */
export const MAX_PAYLOAD_BYTES_PER_TURN = 16_777_216;
/** Signals that nobody has waited for yet, over all names. */
export const MAX_BUFFERED_SIGNALS = 1_000;
/** Events of others that an execution remembers having taken. */
export const MAX_TAKEN_EVENTS = 1_000;
/** Updates of an execution that have no answer yet. */
export const MAX_OPEN_UPDATES = 100;
/** Updates with an answer that an execution remembers, for callers that ask again. */
export const MAX_REMEMBERED_UPDATES = 100;
/** Bytes of an update's reply as JSON text. */
export const MAX_REPLY_BYTES = 65_536;
/** UTF-16 code units of the key that a signal is about. */
export const MAX_SIGNAL_KEY_LENGTH = 255;
/** Request ids of signals that an execution remembers. */
export const MAX_REMEMBERED_REQUESTS = 1_000;
/** UTF-16 code units of a failure's message; longer ones are cut. */
export const MAX_FAILURE_MESSAGE_LENGTH = 8_192;
/** UTF-16 code units of a failure's type; longer ones are cut. */
export const MAX_FAILURE_TYPE_LENGTH = 128;
/** Bytes of a failure's details; larger ones are left out. */
export const MAX_FAILURE_DETAILS_BYTES = 65_536;
/** UTF-16 code units of a line that a log action writes; longer ones are cut. */
export const MAX_LOG_MESSAGE_LENGTH = 8_192;
/** A worker's Retry-After counts for at most a day. */
export const MAX_RETRY_AFTER_MS = 86_400_000;
/** UTF-16 code units of a state machine's business key. */
export const MAX_MACHINE_KEY_LENGTH = 255;
/** Ten years; a longer wait is a slip. */
export const MAX_WAIT_MS = 315_360_000_000;
/** Children and machines that were canceled before their nodes began afresh, and whose end may not have been told. The oldest are forgotten. */
export const MAX_ABANDONED = 10_000;
/**
 * Items of all maps of an execution that run at once; further ones wait until one of them has ended. With all nodes that may be under way
 * besides, what stops them has room in one turn.
 */
export const MAX_ACTIVE_ITEMS = 4_000;
/** Items of one map, unless the payload limit is met before. */
export const MAX_MAP_ITEMS = 100_000;
/** Search attributes of an execution. */
export const MAX_ATTRIBUTES = 32;
/** UTF-16 code units of a text in a search attribute. */
export const MAX_ATTRIBUTE_LENGTH = 255;
/** Texts of a search attribute that is a list. */
export const MAX_ATTRIBUTE_LIST = 32;
/** For compensation and `finally` after a cancel, unless the definition says otherwise. */
export const DEFAULT_CLEANUP_TIMEOUT_MS = 3_600_000;
/** What compensation and `finally` may add to an execution that has reached its limit. */
export const MAX_ENDING_PAYLOAD_BYTES = 8_388_608;
/** Turns of one loop. */
export const MAX_TURNS = 1_000_000;
/** UTF-16 code units of the title of a human task; longer ones are cut. */
export const MAX_HUMAN_TITLE_LENGTH = 1_024;
/** UTF-16 code units of the description of a human task; longer ones are cut. */
export const MAX_HUMAN_DESCRIPTION_LENGTH = 8_192;
/** UTF-16 code units of the name of a person or group. */
export const MAX_HUMAN_NAME_LENGTH = 255;
/** Groups that a human task is given to. */
export const MAX_HUMAN_GROUPS = 32;
/** Comments on one human task. */
export const MAX_HUMAN_COMMENTS = 1_000;
/** Tasks of a human node's earlier turns that an execution remembers. */
export const MAX_PAST_HUMAN_TASKS = 10;
/** Places in which proposed values may have been changed before they count as one change of the whole. */
export const MAX_CHANGED_PATHS = 1_000;
