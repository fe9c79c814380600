/** Limits of every server and client made here. Options may lower or raise them for one server; nothing runs without them. */
export interface RpcLimits {
  /** One message in either direction, after decompression. A larger one is refused with RESOURCE_EXHAUSTED. */
  messageMaxBytes: number;
  /** All headers of one request together. */
  headerMaxBytes: number;
  /** Calls under way at once on one HTTP/2 connection; the client queues what is above. */
  streamsPerSession: number;
  /**
   * Calls that a client may give up on one connection, at once and per second. Beyond it the server ends the connection, and with it
   * every call of everybody whom the client works for. A suite that answers late is given up on by all of its callers.
   */
  streamResets: { burst: number; perSecond: number };
  /** Open connections of one server; further ones are closed at once. */
  connectionsMax: number;
  /** Deadline of a unary call whose client names none. */
  deadlineDefaultMs: number;
  /** The same for single methods, by path (`/heddle.execution.v1.ExecutionService/StartExecution`): those that wait. */
  deadlineDefaultByMethodMs: Readonly<Record<string, number>>;
  /** Longest deadline of a unary call; a longer one is shortened to it. Streams have no deadline but the client's. */
  deadlineMaxMs: number;
  /** A connection that has not said what it speaks by then is closed. */
  handshakeTimeoutMs: number;
  /** Idle time after which the other end of a connection is asked whether it lives. */
  keepaliveIntervalMs: number;
  /** Time it has to answer before the connection is dropped. */
  keepaliveTimeoutMs: number;
  /** A client whose connection ended asks DNS again, but not more often than this. */
  resolutionIntervalMs: number;
  /** How often files of certificates are looked at for a change. */
  certificateCheckIntervalMs: number;
  /** Time for calls to finish when a server closes; what still runs then is cut off. */
  drainMs: number;
  /** HTTP/2 flow-control window of one stream: what may be under way unread. */
  streamWindowBytes: number;
  /** HTTP/2 flow-control window of one connection. */
  sessionWindowBytes: number;
}

export const DEFAULT_LIMITS: Readonly<RpcLimits> = {
  messageMaxBytes: 16 * 1024 * 1024,
  headerMaxBytes: 32 * 1024,
  streamsPerSession: 1_000,
  // Attacks by resets begin at tens of thousands a second. Node's own bound is 33.
  streamResets: { burst: 10_000, perSecond: 2_000 },
  connectionsMax: 10_000,
  deadlineDefaultMs: 30_000,
  deadlineDefaultByMethodMs: {},
  deadlineMaxMs: 600_000,
  handshakeTimeoutMs: 10_000,
  keepaliveIntervalMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  resolutionIntervalMs: 1_000,
  certificateCheckIntervalMs: 10_000,
  drainMs: 10_000,
  streamWindowBytes: 1024 * 1024,
  sessionWindowBytes: 8 * 1024 * 1024,
};

/** Error details travel in an HTTP/2 trailer, which many clients cap at 8 KB (base64 adds a third). */
export const ERROR_DETAILS_MAX_BYTES = 5_500;

/** Length of an error's message; it travels percent-encoded in the same trailer. */
export const ERROR_MESSAGE_MAX_CHARS = 1_000;

/** Messages that may wait in one outgoing stream; its producer has then been told for long that the reader is slow. */
export const PUSHABLE_MAX_ITEMS = 65_536;

/** Messages that wait in a client's stream before `send` asks to hold back: enough to keep a connection busy. */
export const STREAM_HIGH_WATER_MARK = 64;

/** In-memory calls never leave the microtask queue by themselves: after this long, timers and sockets get a turn. */
export const IN_MEMORY_TURN_MS = 4;

/** Time that handlers of streams have to end by themselves when the server drains. */
export const STREAM_GRACE_MS = 500;

/** Deadline of a unary call whose client names none. */
export function defaultDeadlineMs(path: string, limits: RpcLimits): number {
  return limits.deadlineDefaultByMethodMs[path] ?? limits.deadlineDefaultMs;
}
