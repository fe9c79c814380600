import { create, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { timestampNow, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Json, JsonObject } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { createRawEventMessage, type EventBus, type EventMessage } from "@heddle/events";
import { newId } from "@heddle/journal";
import { type ExecutionEvent, ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import {
  type Execution,
  type ExecutionOrigin,
  ExecutionSchema,
  ExecutionStatus,
} from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Routes } from "@heddle/rpc";

export interface ScriptedExecution {
  id: string;
  workflowId: string;
  version: number;
  input: JsonObject;
  requestId: string;
  status: ExecutionStatus;
  origin: ExecutionOrigin | undefined;
  labels: Record<string, string>;
  signals: { name: string; payload: Json; requestId: string }[];
}

/** The execution service as a test plays it. */
export interface ScriptedExecutions {
  routes: Routes;
  started: ScriptedExecution[];
  /** While true it cannot be reached. */
  setDown(down: boolean): void;
  /** Reasons that starts of a workflow are refused with. */
  refused: Map<string, DomainError>;
  /** Ends one well; its event goes to the bus unless `silently`. */
  complete(execution: ScriptedExecution, output: Json, options?: { silently: boolean }): Promise<void>;
  fail(execution: ScriptedExecution, message: string): Promise<void>;
  /** Brings the last event once more, as a bus may. */
  repeat(): Promise<void>;
}

export function createScriptedExecutions(bus: () => EventBus): ScriptedExecutions {
  const started: ScriptedExecution[] = [];
  const outputs = new Map<string, Json>();
  const refused = new Map<string, DomainError>();
  let down = false;
  let offset = 0;
  let last: EventMessage[] = [];

  const reach = (): void => {
    if (down) throw new DomainError({ kind: "unavailable", reason: "DEPENDENCY_UNAVAILABLE", message: "down" });
  };
  const get = (id: string): ScriptedExecution => {
    reach();
    const execution = started.find((one) => one.id === id);
    if (execution !== undefined) return execution;
    throw new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: `no execution ${id}` });
  };
  const toMessage = ({ id, status, labels }: ScriptedExecution): Execution => {
    const output = outputs.get(id);
    return create(ExecutionSchema, {
      executionId: id,
      status,
      labels,
      output: output === undefined ? undefined : toValue(output),
    });
  };
  const publish = async (execution: ScriptedExecution, event: ExecutionEvent["event"]): Promise<void> => {
    offset += 1;
    const value = create(ExecutionEventSchema, {
      executionId: execution.id,
      seq: BigInt(offset),
      occurredAt: timestampNow(),
      event,
    });
    last = [
      createRawEventMessage(ExecutionEventSchema.typeName, toBinary(ExecutionEventSchema, value), {
        id: `${execution.id}/${offset}`,
        source: "/test",
        key: execution.id,
        position: { partition: 0, offset, index: 0 },
      }),
    ];
    await bus().publish(last);
  };
  const ended = ({ workflowId }: ScriptedExecution) => ({ namespace: "default", workflowId });

  return {
    started,
    refused,
    setDown(value) {
      down = value;
    },
    async complete(execution, output, { silently } = { silently: false }) {
      execution.status = ExecutionStatus.COMPLETED;
      outputs.set(execution.id, output);
      if (silently) return;
      const { origin } = execution;
      await publish(execution, {
        case: "executionCompleted",
        value: {
          $typeName: "heddle.execution.v1.ExecutionCompleted",
          output: { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: JSON.stringify(output) } },
          ...ended(execution),
          ...(origin !== undefined && { origin }),
        },
      });
    },
    async fail(execution, message) {
      execution.status = ExecutionStatus.FAILED;
      const { origin } = execution;
      await publish(execution, {
        case: "executionFailed",
        value: {
          $typeName: "heddle.execution.v1.ExecutionFailed",
          failure: {
            $typeName: "heddle.common.v1.Failure",
            type: "broken",
            message,
            nonRetryable: true,
            retryAfterMs: 0n,
            nodeId: "",
            business: false,
          },
          ...ended(execution),
          ...(origin !== undefined && { origin }),
        },
      });
    },
    repeat: () => bus().publish(last),
    routes: (router) =>
      router.service(ExecutionService, {
        startExecution(request) {
          reach();
          const refusal = refused.get(request.workflowId);
          if (refusal !== undefined) throw refusal;
          const known = started.find(({ requestId }) => requestId === request.requestId);
          const execution: ScriptedExecution = known ?? {
            id: newId(0, 0),
            workflowId: request.workflowId,
            version: request.version,
            input: request.input ?? {},
            requestId: request.requestId,
            status: ExecutionStatus.RUNNING,
            origin: request.origin,
            labels: request.labels,
            signals: [],
          };
          if (known === undefined) started.push(execution);
          return { execution: toMessage(execution), created: known === undefined };
        },
        getExecution: ({ executionId }) => ({ execution: toMessage(get(executionId)) }),
        cancelExecution({ executionId }) {
          const execution = get(executionId);
          if (execution.status !== ExecutionStatus.RUNNING) {
            throw new DomainError({ kind: "failed_precondition", reason: "EXECUTION_FINISHED", message: "over" });
          }
          execution.status = ExecutionStatus.CANCELED;
          return { execution: toMessage(execution) };
        },
        signalExecution({ executionId, name, payload, requestId }) {
          const execution = get(executionId);
          if (!execution.signals.some((signal) => signal.requestId === requestId)) {
            const value = payload === undefined ? null : toJson(ValueSchema, payload);
            execution.signals.push({ name, payload: value, requestId });
          }
          return { execution: toMessage(execution) };
        },
      }),
  };
}

function toValue(json: Json): NonNullable<Execution["output"]> {
  return fromJson(ValueSchema, json);
}
