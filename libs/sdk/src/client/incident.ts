import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ListIncidentsRequestSchema } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Incident as IncidentMessage } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import type { Json } from "../json.ts";
import { type Failure, plainFailure, plainTime } from "./plain.ts";
import { present } from "./present.ts";

/** A node that has failed for good and waits for a person. */
export interface Incident {
  executionId: string;
  namespace: string;
  workflowId: string;
  version: number;
  nodeId: string;
  /** What the node is, as in NodeExecution. */
  kind: string;
  /** The turns of the loops that it stands in, from 1, the outermost first. */
  turns: { nodeId: string; turn: number }[];
  /** For a child: the node that waits for it, `<map>[<index>]` for an item of a map. */
  parent?: { executionId: string; nodeId: string };
  /** Without details. */
  failure: Failure;
  /** Attempts so far. */
  attempts: number;
  /** With execution and node it names the incident. */
  openedAt: Date;
}

/** All of it must hold. */
export interface IncidentFilter {
  workflowId?: string;
  failureType?: string;
  nodeId?: string;
  executionId?: string;
  /** Only of children of this execution. */
  parentExecutionId?: string;
  /** Opened then or later. */
  openedAfter?: Date;
  openedBefore?: Date;
}

/** How a node that has failed goes on: again, with an output, without it, or not. */
export type IncidentResolution =
  | { action: "retry"; input?: Json }
  | { action: "complete"; output: Json }
  | { action: "skip" | "fail" };

/** The same for requests. */
export function resolutionMessage(resolution: IncidentResolution) {
  switch (resolution.action) {
    case "retry": {
      const { input } = resolution;
      return {
        case: "retry" as const,
        value: input === undefined ? {} : { input: fromJson(ValueSchema, input) },
      };
    }
    case "complete":
      return { case: "complete" as const, value: fromJson(ValueSchema, resolution.output) };
    default:
      return { case: resolution.action, value: true };
  }
}

export function incidentFilterMessage(filter: IncidentFilter): MessageInitShape<typeof ListIncidentsRequestSchema> {
  const { openedAfter, openedBefore, ...rest } = filter;
  return {
    ...rest,
    openedAfter: openedAfter && timestampFromDate(openedAfter),
    openedBefore: openedBefore && timestampFromDate(openedBefore),
  };
}

export function plainIncident(message: IncidentMessage): Incident {
  const { executionId, namespace, workflowId, version, nodeId, kind, parent, attempts } = message;
  return {
    executionId,
    namespace,
    workflowId,
    version,
    nodeId,
    kind,
    turns: message.turns.map((turn) => ({ nodeId: turn.nodeId, turn: turn.turn })),
    ...(parent && { parent: { executionId: parent.executionId, nodeId: parent.nodeId } }),
    failure: plainFailure(present(message.failure)),
    attempts,
    openedAt: present(plainTime(message.openedAt)),
  };
}
