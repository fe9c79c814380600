import { create, fromBinary } from "@bufbuild/protobuf";
import { isFinal } from "@heddle/errors";
import {
  createOneofPeek,
  type EventBus,
  type EventHandler,
  type EventMessage,
  type Subscription,
  subscribeParking,
} from "@heddle/events";
import { type Failure, FailureSchema } from "@heddle/proto/heddle/common/v1/failure_pb.js";
import type { Payload } from "@heddle/proto/heddle/common/v1/payload_pb.js";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { OriginKind } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import {
  MachineParentKind,
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import {
  type ReportInvocationRequest,
  ReportInvocationRequestSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { hasReason } from "./outcome.ts";

/** All replicas together: whichever gets the event tells the owner of the machine. */
const EXECUTIONS_GROUP = "heddle.statemachine.executions";
const MACHINES_GROUP = "heddle.statemachine.machines";

/** Ends, and what an execution emits on its way. */
const peekExecutionReport = createOneofPeek(ExecutionEventSchema, [
  "executionCompleted",
  "executionFailed",
  "executionCanceled",
  "customEventEmitted",
]);
const peekMachineEnd = createOneofPeek(StateMachineEventSchema, ["finished", "failed", "deleted"]);

export interface EndsOptions {
  bus: EventBus;
  database: Database;
  logger: Logger;
  /** Tells the owner of the machine. The number of the run makes a second time harmless, so nobody keeps count of events. */
  report(request: ReportInvocationRequest): Promise<unknown>;
  /** The texts of payloads that the events of a service reference. */
  loadExecutionPayload(digest: string): Promise<Payload | undefined>;
  loadMachinePayload(digest: string): Promise<Payload | undefined>;
}

/** Hears how what machines have invoked has ended. */
export interface Ends {
  /** Begins to listen; before the first invocation no events need be made for it. */
  listen(): void;
  stop(): Promise<void>;
}

export function createEnds(options: EndsOptions): Ends {
  const { bus, database, logger, report } = options;
  let subscriptions: Subscription[] = [];

  const tell = async (request: ReportInvocationRequest, load: EndsOptions["loadMachinePayload"]): Promise<void> => {
    try {
      await report(await withTexts(request, load));
    } catch (error) {
      // Nobody waits for it any longer: the state was left, or the machine is over.
      if (hasReason(error, "INVOCATION_NOT_RUNNING", "MACHINE_NOT_FOUND", "MACHINE_FINISHED")) return;
      if (isFinal(error))
        logger.error({ err: error, machineId: request.machineId }, "a machine refuses the end of an invocation");
      throw error;
    }
  };

  const subscribe = (
    group: string,
    topic: string,
    findReport: (message: EventMessage) => ReportInvocationRequest | undefined,
    load: EndsOptions["loadMachinePayload"],
  ): Subscription => {
    const handler: EventHandler = async (messages) => {
      const reports = messages.map(findReport).filter((request) => request !== undefined);
      // To each machine in their order: what comes on the way comes before the end.
      const byMachine = Map.groupBy(reports, ({ machineId }) => machineId);
      await Promise.all(
        [...byMachine.values()].map(async (own) => {
          for (const request of own) await tell(request, load);
        }),
      );
    };
    return subscribeParking({ bus, database, group, topic, handler, logger, complaint: "an end cannot be handled" });
  };

  return {
    listen() {
      if (subscriptions.length > 0) return;
      subscriptions = [
        subscribe(EXECUTIONS_GROUP, ExecutionEventSchema.typeName, reportOfExecution, options.loadExecutionPayload),
        subscribe(MACHINES_GROUP, StateMachineEventSchema.typeName, reportOfMachine, options.loadMachinePayload),
      ];
    },
    async stop() {
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.close()));
    },
  };
}

type Report = ReportInvocationRequest["report"];

const EMPTY: Payload = { $typeName: "heddle.common.v1.Payload", form: { case: undefined } };

/** Undefined for what is neither an end nor progress, and for what no machine waits for. */
function reportOfExecution({ value }: EventMessage): ReportInvocationRequest | undefined {
  if (peekExecutionReport(value) === undefined) return undefined;
  const { event, executionId, seq } = fromBinary(ExecutionEventSchema, value);
  const report = executionReport(event);
  const origin = report && "origin" in (event.value ?? {}) ? (event.value as { origin?: Origin }).origin : undefined;
  if (report === undefined || origin?.kind !== OriginKind.MACHINE) return undefined;
  return create(ReportInvocationRequestSchema, {
    machineId: origin.id,
    invokeId: origin.name,
    token: origin.token,
    report,
    // An end counts once by its run; a progress by its event.
    requestId: report.case === "progress" ? `${executionId}/${seq}` : "",
    eventName: event.case === "customEventEmitted" ? event.value.name : "",
  });
}

interface Origin {
  kind: OriginKind;
  id: string;
  name: string;
  token: bigint;
}

function executionReport(event: ExecutionEvent["event"]): Report | undefined {
  switch (event.case) {
    case "executionCompleted":
      return outputReport(event.value.output);
    case "executionFailed":
      return failureReport(event.value.failure, "failed", "");
    case "executionCanceled":
      return failureReport(undefined, "canceled", event.value.reason || "the execution was canceled");
    case "customEventEmitted":
      return { case: "progress", value: event.value.payload ?? EMPTY };
    default:
      return undefined;
  }
}

/** Undefined for what is no end, and for an end that no machine waits for. */
function reportOfMachine({ value }: EventMessage): ReportInvocationRequest | undefined {
  if (peekMachineEnd(value) === undefined) return undefined;
  const { event } = fromBinary(StateMachineEventSchema, value);
  const report = machineReport(event);
  const parent = report === undefined ? undefined : endedOf(event)?.parent;
  if (report === undefined || parent?.kind !== MachineParentKind.MACHINE) return undefined;
  return create(ReportInvocationRequestSchema, {
    machineId: parent.id,
    invokeId: parent.name,
    token: parent.token,
    report,
  });
}

function endedOf({ case: name, value }: StateMachineEvent["event"]) {
  return name === "finished" || name === "failed" || name === "deleted" ? value.machine : undefined;
}

function machineReport(event: StateMachineEvent["event"]): Report | undefined {
  switch (event.case) {
    case "finished":
      return outputReport(event.value.output);
    case "failed":
      return failureReport(event.value.failure, "failed", "");
    case "deleted":
      return failureReport(undefined, "deleted", event.value.reason || "the machine was deleted");
    default:
      return undefined;
  }
}

function outputReport(output: Payload | undefined): Report {
  return { case: "output", value: output ?? EMPTY };
}

function failureReport(failure: Failure | undefined, type: string, message: string): Report {
  return { case: "failure", value: failure ?? create(FailureSchema, { type, message }) };
}

/** With the texts of what the event only references. */
async function withTexts(
  request: ReportInvocationRequest,
  load: (digest: string) => Promise<Payload | undefined>,
): Promise<ReportInvocationRequest> {
  const { report } = request;
  const resolve = async (payload: Payload | undefined): Promise<Payload | undefined> =>
    payload?.form.case === "reference" ? load(payload.form.value.digest) : payload;
  if (report.case === "output") {
    return { ...request, report: { case: "output", value: (await resolve(report.value)) ?? report.value } };
  }
  if (report.case === "progress") {
    return { ...request, report: { case: "progress", value: (await resolve(report.value)) ?? report.value } };
  }
  if (report.case === "failure") {
    const details = await resolve(report.value.details);
    return { ...request, report: { case: "failure", value: { ...report.value, details } } };
  }
  return request;
}
