/** Microsteps of one macrostep. A chart that needs more runs in a circle: it is stopped, and the circle named. */
export const MAX_MICROSTEPS = 1_000;
/** Macrosteps of one turn; what is left in the queues follows with the next turn, which is due at once. */
export const MAX_MACROSTEPS_PER_TURN = 100;
/** Events in the internal queue at a time. */
export const MAX_INTERNAL_EVENTS = 10_000;
/** Events that wait: sent by the machine to itself, deferred, or come while it was suspended. */
export const MAX_QUEUED_EVENTS = 1_000;
/** Timers at a time: delayed sends and delayed transitions. */
export const MAX_TIMERS = 1_000;
/** Messages to others that nobody has acknowledged. */
export const MAX_UNSENT_MESSAGES = 1_000;
/** Elements that one `foreach` goes through. */
export const MAX_FOREACH_ITEMS = 10_000;
/** Actions of one macrostep, those of loops counted each time. */
export const MAX_ACTIONS = 100_000;
/** Request ids that a machine remembers. */
export const MAX_REMEMBERED_REQUESTS = 1_000;
/** Bytes of the whole context as JSON. */
export const MAX_CONTEXT_BYTES = 4_194_304;
/** Characters of an event's name. */
export const MAX_EVENT_NAME_LENGTH = 128;
/** UTF-16 code units of a logged line; longer ones are cut. */
export const MAX_LOG_MESSAGE_LENGTH = 8_192;
