import { fromBinary, toJson } from "@bufbuild/protobuf";
import { timestampDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { JsonObject } from "@heddle/engine";
import {
  createOneofPeek,
  type DeliveryContext,
  type EventBus,
  type EventMessage,
  type Subscription,
  subscribeParking,
} from "@heddle/events";
import { awaitProjection } from "@heddle/journal";
import { tellAll } from "@heddle/journal-service";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import type { Execution } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { maxCallsAtOnce, projectionWaitMs } from "../domain/limits.ts";
import { findSubscribed, findSubscribers, type Subscriber } from "../store/subscriptions.ts";
import { hasReason } from "./outcome.ts";
import type { Outside } from "./outside.ts";

/** All replicas together: whichever gets the event tells the owners of the machines. */
const GROUP = "heddle.statemachine.subscribers";

export interface SubscribersOptions {
  bus: EventBus;
  database: Database;
  outside: Pick<Outside, "findExecution" | "sendEvent">;
  logger: Logger;
}

/** Tells machines of the executions that they subscribe to. */
export interface Subscribers {
  /** Begins to listen; before the first machine that subscribes no events need be made for it. */
  listen(): void;
  stop(): Promise<void>;
}

/**
 * Nobody keeps count of events: a machine takes one with the id of an end once. Who waits is read from the projections,
 * after they have caught up with what was committed when the end came, so that no machine is missed.
 */
export function createSubscribers({ bus, database, outside, logger }: SubscribersOptions): Subscribers {
  let subscription: Subscription | undefined;

  const handler = async (messages: readonly EventMessage[], { signal }: DeliveryContext): Promise<void> => {
    const ends = messages.flatMap(({ value }) => readEnd(value) ?? []);
    if (ends.length === 0) return;
    const subscribed = await findSubscribed(database, ends);
    const relevant = ends.filter((end) =>
      subscribed.some(({ namespace, workflowId }) => namespace === end.namespace && workflowId === end.workflowId),
    );
    if (relevant.length === 0) return;
    if (!(await awaitProjection(database, { signal, timeoutMs: projectionWaitMs }))) {
      logger.warn("the projections do not catch up; an end may miss a machine that has just begun to wait for it");
    }
    for (const end of relevant) await tell(end);
  };

  const tell = async (end: ExecutionEnd): Promise<void> => {
    const execution = await outside.findExecution(end.executionId);
    if (execution === undefined) return;
    const subscribers = await findSubscribers(database, { ...end, labels: execution.labels });
    const data = dataOf(end, execution);
    await tellAll([subscribers], {
      atOnce: maxCallsAtOnce,
      tell: (subscriber) => send(subscriber, end, data),
      onRefused: ({ machine_id: machineId }, error) =>
        logger.error({ err: error, machineId, ...end }, "a machine cannot take an end that it subscribes to"),
    });
  };

  const send = async ({ machine_id: machineId, position, event }: Subscriber, end: ExecutionEnd, data: JsonObject) => {
    const name = event === "" ? `execution.${end.status}` : event;
    try {
      await outside.sendEvent({ machineId }, { name, data, requestId: `${end.executionId}/${end.seq}/${position}` });
    } catch (error) {
      // It does not wait any longer.
      if (!hasReason(error, "MACHINE_NOT_FOUND", "MACHINE_FINISHED", "EVENT_NOT_EXPECTED")) throw error;
    }
  };

  return {
    listen() {
      subscription ??= subscribeParking({
        bus,
        database,
        group: GROUP,
        topic: ExecutionEventSchema.typeName,
        handler,
        logger,
        complaint: "an end cannot be told to its subscribers",
      });
    },
    async stop() {
      await subscription?.close();
    },
  };
}

interface ExecutionEnd {
  executionId: string;
  seq: bigint;
  namespace: string;
  workflowId: string;
  status: "completed" | "failed" | "canceled";
  occurredAt: Date;
}

const peekEnd = createOneofPeek(ExecutionEventSchema, ["executionCompleted", "executionFailed", "executionCanceled"]);

const STATUSES = { executionCompleted: "completed", executionFailed: "failed", executionCanceled: "canceled" } as const;

/** Undefined for what is no end. */
function readEnd(bytes: Uint8Array): ExecutionEnd | undefined {
  if (peekEnd(bytes) === undefined) return undefined;
  const { executionId, seq, occurredAt, event } = fromBinary(ExecutionEventSchema, bytes);
  switch (event.case) {
    case "executionCompleted":
    case "executionFailed":
    case "executionCanceled": {
      const { namespace, workflowId } = event.value;
      const at = occurredAt === undefined ? new Date() : timestampDate(occurredAt);
      return { executionId, seq, namespace, workflowId, status: STATUSES[event.case], occurredAt: at };
    }
    default:
      return undefined;
  }
}

function dataOf({ executionId, workflowId, status }: ExecutionEnd, execution: Execution): JsonObject {
  const { labels, output, failure } = execution;
  return {
    execution_id: executionId,
    workflow_id: workflowId,
    status,
    labels,
    output: output === undefined ? null : toJson(ValueSchema, output),
    failure: failure === undefined ? null : { type: failure.type, message: failure.message },
  };
}
