import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { OutboxCheck, OutboxOptions, PublishedEvent } from "@heddle/doctor";
import type { KafkaSecurity } from "@heddle/events";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-codes.ts";

/** Where published events can be read. */
export type EventSource =
  | {
      kind: "kafka";
      brokers: readonly string[];
      security?: KafkaSecurity | undefined;
      topicPrefix?: string | undefined;
    }
  | { kind: "file"; path: string };

/** Clocks of a broker and of the services may differ by this much. */
const BROKER_MARGIN_MS = 60_000;
/** Events of a log that was just switched on may be older than others that were published before. */
const LOG_MARGIN_MS = 5_000;

const TOPIC = ExecutionEventSchema.typeName;

/** Reads everything that was published, from the oldest event on to those that are there now, into the check. Says what is no longer there. */
export async function readPublished(
  source: EventSource,
  check: Pick<OutboxCheck, "add">,
  signal: AbortSignal,
): Promise<OutboxOptions> {
  return source.kind === "file"
    ? await readEventLog(source.path, check, signal)
    : await readKafka(source, check, signal);
}

async function readKafka(
  { brokers, security, topicPrefix = "" }: EventSource & { kind: "kafka" },
  check: Pick<OutboxCheck, "add">,
  signal: AbortSignal,
): Promise<OutboxOptions> {
  // The client of Kafka is loaded only by those who ask for it.
  const { partitionOfKey, readTopic } = await import("@heddle/events");
  const { partitions } = await readTopic({
    brokers,
    security,
    topic: topicPrefix + TOPIC,
    signal,
    onMessages(messages) {
      for (const { headers } of messages) {
        const event = parseEventId(headers.ce_id);
        if (event !== undefined) check.add(event);
      }
    },
  });
  const dropped = new Map(
    partitions.flatMap(({ partition, low, oldestAt }) =>
      // Of a partition that was dropped as a whole everything so far may be gone.
      low > 0 ? [[partition, (oldestAt ?? Date.now()) + BROKER_MARGIN_MS]] : [],
    ),
  );
  return { droppedUntil: (executionId) => dropped.get(partitionOfKey(executionId, partitions.length)) };
}

/** The log of a laptop may have been switched on when executions ran already: it begins where its first line begins. */
async function readEventLog(
  path: string,
  check: Pick<OutboxCheck, "add">,
  signal: AbortSignal,
): Promise<OutboxOptions> {
  let oldest: number | undefined;
  const lines = createInterface({ input: createReadStream(path, { signal }) });
  try {
    for await (const line of lines) {
      const found = parseLine(line);
      if (found === undefined) continue;
      check.add(found.event);
      oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, found.at);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const { code, message } = error as { code?: string; message: string };
    throw new CliError(`the event log ${path} cannot be read: ${message}`, {
      exitCode: code === "ENOENT" ? EXIT.notFound : EXIT.invalid,
      reason: "EVENT_LOG_UNREADABLE",
      hint: "it is the file of `heddle dev --event-log FILE`",
      cause: error,
    });
  }
  const droppedUntil = (oldest ?? Date.now()) + LOG_MARGIN_MS;
  return { droppedUntil: () => droppedUntil };
}

function parseLine(line: string): { event: PublishedEvent; at: number } | undefined {
  // The last line may be half written.
  if (!line.endsWith("}")) return undefined;
  const { type, id, time, data } = JSON.parse(line) as {
    type?: string;
    id?: string;
    time?: string;
    data?: { occurredAt?: string };
  };
  const event = type === TOPIC ? parseEventId(id) : undefined;
  if (event === undefined) return undefined;
  return { event, at: Date.parse(time ?? data?.occurredAt ?? "") || 0 };
}

/** `<execution id>/<number of the event>`; undefined for what somebody else has written. */
function parseEventId(id: string | undefined): PublishedEvent | undefined {
  if (id === undefined) return undefined;
  const at = id.lastIndexOf("/");
  const seq = Number(id.slice(at + 1));
  return at > 0 && Number.isSafeInteger(seq) && seq > 0 ? { executionId: id.slice(0, at), seq } : undefined;
}
