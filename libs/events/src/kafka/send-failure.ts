/**
 * What a rejected `send` of kafkajs means for the batch:
 * `again`: nothing is wrong with the producer; only the identical batch may follow on it, as a repetition takes the
 *   same sequence numbers, by which the broker knows it;
 * `too-large`: the broker will never take it as it is;
 * `new-producer`: the broker and the producer disagree about sequence numbers, or nobody can tell what happened.
 */
export type SendFailure = "again" | "too-large" | "new-producer";

const TOO_LARGE = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

const MAX_DEPTH = 10;

export function classifySendFailure(error: unknown): SendFailure {
  const root = rootOf(error);
  if (root.type !== undefined && TOO_LARGE.has(root.type)) return "too-large";
  // What is not an error of kafkajs, as a TypeError, carries no such mark.
  return root.retriable === true ? "again" : "new-producer";
}

interface KafkaJsError {
  type?: string;
  retriable?: boolean;
  cause?: unknown;
  originalError?: unknown;
}

/** kafkajs wraps what happened into one error per layer that gave up on it. */
function rootOf(error: unknown): KafkaJsError {
  let root = (error ?? {}) as KafkaJsError;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const inner = (root.cause ?? root.originalError) as KafkaJsError | undefined;
    if (inner === undefined || inner === root) break;
    root = inner;
  }
  return root;
}
