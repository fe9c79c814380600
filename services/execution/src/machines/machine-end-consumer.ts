import { create, fromBinary } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { createOneofPeek, type EventBus, type EventMessage, type Subscription, subscribeParking } from "@heddle/events";
import { FailureSchema } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import {
  type ReportMachineRequest,
  ReportMachineRequestSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import {
  type EndedMachine,
  MachineParentKind,
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { machineDeleted } from "../domain/machines.ts";

/** All replicas together: whoever of them gets an end passes it on to the owner of the execution. */
const GROUP = "heddle.execution.machines";

const peekEnd = createOneofPeek(StateMachineEventSchema, ["finished", "failed", "deleted"]);

export interface MachineEndConsumerOptions {
  bus: EventBus;
  database: Database;
  /** Tells the owner of the execution, wherever it is. */
  report(request: ReportMachineRequest): Promise<unknown>;
  /** The payload that an event references, with its text. */
  getPayload(digest: string): Promise<Payload | undefined>;
  logger: Logger;
}

/**
 * Follows the ends of state machines that nodes wait for. Positions are not kept: the node itself takes an end once, and
 * refuses every repetition.
 */
export function consumeMachineEnds(options: MachineEndConsumerOptions): Subscription {
  const { bus, database, report, getPayload, logger } = options;

  const take = async ({ value }: EventMessage): Promise<void> => {
    if (peekEnd(value) === undefined) return;
    const request = reportOf(fromBinary(StateMachineEventSchema, value));
    if (request === undefined) return;
    if (request.end.case === "output" && request.end.value.form.case === "reference") {
      const payload = await getPayload(request.end.value.form.value.digest);
      if (payload !== undefined) request.end = { case: "output", value: payload };
    }
    try {
      await report(request);
    } catch (error) {
      if (!(error instanceof DomainError) || !isAnswered(error)) throw error;
    }
  };

  return subscribeParking({
    bus,
    database,
    group: GROUP,
    topic: StateMachineEventSchema.typeName,
    async handler(messages) {
      for (const message of messages) await take(message);
    },
    logger,
    complaint: "the end of a state machine cannot be handled",
  });
}

/** The execution has its answer already, has ended, or is gone. */
function isAnswered({ reason }: DomainError): boolean {
  return reason === "MACHINE_NOT_AWAITED" || reason === "EXECUTION_FINISHED" || reason === "EXECUTION_NOT_FOUND";
}

/** Undefined when no execution waits for the machine. */
function reportOf({ machineId, event }: StateMachineEvent): ReportMachineRequest | undefined {
  const about = (machine: EndedMachine | undefined, end: ReportMachineRequest["end"]) => {
    if (machine?.parent?.kind !== MachineParentKind.EXECUTION) return undefined;
    const { id: executionId, name: nodeId } = machine.parent;
    return create(ReportMachineRequestSchema, { executionId, nodeId, machineId, end });
  };
  switch (event.case) {
    case "finished":
      return about(event.value.machine, { case: "output", value: event.value.output ?? nullPayload() });
    case "failed":
      return about(event.value.machine, { case: "failure", value: event.value.failure ?? create(FailureSchema) });
    case "deleted":
      return about(event.value.machine, { case: "failure", value: failureOf(machineDeleted(event.value.reason)) });
    default:
      return undefined;
  }
}

function failureOf({ type, message }: { type: string; message: string }) {
  return create(FailureSchema, { type, message });
}

function nullPayload(): Payload {
  return { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: "null" } };
}
