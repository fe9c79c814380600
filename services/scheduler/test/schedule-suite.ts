import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { createEventMessage, createMemoryBus, type EventBus, type EventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { type Execution, ExecutionSchema, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import {
  ExecutionService,
  type StartExecutionRequest,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { createInMemoryTransport, type RpcTransport } from "@heddle/rpc";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { createLogger } from "@heddle/telemetry";
import { schedulerMigrations } from "../src/index.ts";
import type { ScheduleLimits } from "../src/schedules/limits.ts";
import { createScheduling, type Scheduling } from "../src/schedules/scheduling.ts";

/** The first time that schedules of tests have: a moment after they are declared. */
const START_MS = Date.parse("2026-01-05T00:00:00Z");

const logger = createLogger({ name: "test", level: "silent" });

/** Quick, so that the clock of the test is looked at all the time. */
const limits: Partial<ScheduleLimits> = {
  timerMaxMs: 10,
  retryMinMs: 5,
  retryMaxMs: 20,
  callTimeoutMs: 2_000,
  databaseRetryMs: 20,
};

export interface ScheduleSuite {
  test: TestDatabase;
  bus: EventBus;
  execution: FakeExecution;
  clock: { nowMs: number };
  /** One more replica on the same database. */
  join(options?: { isOwner?: (namespace: string) => boolean }): Promise<Replica>;
  /** What a definition declares now. */
  activate(workflowId: string, version: MessageInitShape<typeof DefinitionEventSchema>["event"]): Promise<void>;
  publish(messages: readonly EventMessage[]): Promise<void>;
  stop(): Promise<void>;
}

export interface Replica {
  scheduling: Scheduling;
  /** Ownership has changed. */
  ownershipChanged(): void;
  stop(): Promise<void>;
}

/** The parts of the execution service that the scheduler calls; the test decides when something ends. */
export interface FakeExecution {
  transport: RpcTransport;
  requests: StartExecutionRequest[];
  /** By request id: each starts once. */
  executions: Map<string, Execution>;
  canceled: string[];
  /** Runs before a start is answered; what it throws is the answer, although the start has happened. */
  beforeAnswer: (execution: Execution) => void | Promise<void>;
  /** Nothing is taken. */
  away: boolean;
  /** Starts of this workflow are refused for good. */
  refused: string;
  started(workflowId?: string): Execution[];
  /** Ends it; the event is for `publish`. */
  end(execution: Execution, output?: JsonValue, status?: ExecutionStatus): EventMessage;
}

export async function startScheduleSuite(): Promise<ScheduleSuite> {
  const test = await createTestDatabase({ schema: "scheduler", migrations: schedulerMigrations });
  const bus = createMemoryBus({ limits: { redeliveryMinMs: 1, redeliveryMaxMs: 2, deliveryMaxAttempts: 3 } });
  const clock = createClock(START_MS - 1_000);
  const execution = createFakeExecution(clock);
  const replicas: Replica[] = [];
  let definitionSeq = 0;
  return {
    test,
    bus,
    execution,
    clock,
    async join({ isOwner = () => true } = {}) {
      const listeners = new Set<() => void>();
      const scheduling = createScheduling({
        database: test.open(),
        execution: execution.transport,
        bus,
        ownership: {
          isOwner,
          onChange(listener) {
            listeners.add(listener);
            return () => listeners.delete(listener);
          },
        },
        logger,
        limits,
        now: () => clock.nowMs,
      });
      await scheduling.start();
      const replica: Replica = {
        scheduling,
        ownershipChanged() {
          for (const listener of listeners) listener();
        },
        stop: () => scheduling.stop(),
      };
      replicas.push(replica);
      return replica;
    },
    async activate(workflowId, event) {
      definitionSeq += 1;
      await bus.publish([definitionMessage(workflowId, definitionSeq, event, clock.nowMs)]);
      clock.nowMs = Math.max(clock.nowMs, START_MS);
    },
    publish: (messages) => bus.publish(messages),
    async stop() {
      await Promise.all(replicas.map((replica) => replica.stop()));
      await bus.close();
      execution.transport.close();
      await test.drop();
    },
  };
}

/** Goes on by itself, and can be set: retries need time to pass. */
function createClock(startMs: number): { nowMs: number } {
  let offsetMs = startMs - Math.ceil(performance.now());
  return {
    get nowMs() {
      return Math.floor(performance.now()) + offsetMs;
    },
    set nowMs(nowMs) {
      offsetMs = nowMs - Math.floor(performance.now());
    },
  };
}

function definitionMessage(
  workflowId: string,
  seq: number,
  event: MessageInitShape<typeof DefinitionEventSchema>["event"],
  nowMs: number,
): EventMessage {
  const message = create(DefinitionEventSchema, {
    eventId: `default/${workflowId}/${seq}`,
    namespace: "default",
    workflowId,
    seq: BigInt(seq),
    occurredAt: timestampFromMs(nowMs),
    event,
  });
  return createEventMessage(DefinitionEventSchema, message, {
    id: message.eventId,
    source: "/heddle/definition",
    key: `default/${workflowId}`,
    position: { partition: 0, offset: seq, index: 0 },
  });
}

function createFakeExecution(clock: { nowMs: number }): FakeExecution {
  let number = 0;
  let offset = 0;
  const byId = new Map<string, Execution>();
  const fake: FakeExecution = {
    transport: createInMemoryTransport({
      logger,
      routes: (router) =>
        router.service(ExecutionService, {
          async startExecution(request) {
            if (fake.away) throw new DomainError({ kind: "unavailable", reason: "UNAVAILABLE", message: "away" });
            fake.requests.push(request);
            if (request.workflowId === fake.refused) {
              throw new DomainError({ kind: "not_found", reason: "DEFINITION_NOT_FOUND", message: "no such workflow" });
            }
            const known = fake.executions.get(request.requestId);
            if (known !== undefined) return { execution: known, created: false };
            number += 1;
            const execution = create(ExecutionSchema, {
              executionId: `01990000-0000-7000-8000-${String(number).padStart(12, "0")}`,
              namespace: request.namespace,
              workflowId: request.workflowId,
              version: 1,
              status: ExecutionStatus.RUNNING,
              input: request.input,
              labels: request.labels,
              requestId: request.requestId,
              startedAt: timestampFromMs(clock.nowMs),
            });
            fake.executions.set(request.requestId, execution);
            byId.set(execution.executionId, execution);
            await fake.beforeAnswer(execution);
            return { execution, created: true };
          },
          getExecution({ executionId }) {
            const execution = byId.get(executionId);
            if (execution !== undefined) return { execution };
            throw new DomainError({ kind: "not_found", reason: "EXECUTION_NOT_FOUND", message: "no such execution" });
          },
          cancelExecution({ executionId }) {
            const execution = byId.get(executionId);
            fake.canceled.push(executionId);
            if (execution !== undefined) execution.status = ExecutionStatus.CANCELED;
            return { execution };
          },
        }),
    }),
    requests: [],
    executions: new Map(),
    canceled: [],
    beforeAnswer() {},
    away: false,
    refused: "",
    started: (workflowId) =>
      [...fake.executions.values()].filter((each) => workflowId === undefined || each.workflowId === workflowId),
    end(execution, output = {}, status = ExecutionStatus.COMPLETED) {
      const { executionId, namespace, workflowId } = execution;
      execution.status = status;
      execution.output = fromJson(ValueSchema, output);
      execution.endedAt = timestampFromMs(clock.nowMs);
      const what = { namespace, workflowId };
      offset += 1;
      const event = create(ExecutionEventSchema, {
        executionId,
        seq: 7n,
        occurredAt: timestampFromMs(clock.nowMs),
        event:
          status === ExecutionStatus.FAILED
            ? { case: "executionFailed", value: { failure: { type: "t", message: "m" }, ...what } }
            : { case: "executionCompleted", value: what },
      });
      return createEventMessage(ExecutionEventSchema, event, {
        id: `${executionId}/7`,
        source: "/heddle/execution",
        key: executionId,
        position: { partition: 3, offset, index: 0 },
      });
    },
  };
  return fake;
}
