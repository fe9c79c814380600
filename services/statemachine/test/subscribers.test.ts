import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { createMemoryBus, createRawEventMessage, type EventBus } from "@heddle/events";
import { newId } from "@heddle/journal";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { ExecutionSchema } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Database } from "@heddle/store";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { stateMachineMigrations } from "../src/index.ts";
import { createSubscribers, type Subscribers, type SubscribersOptions } from "../src/obligations/subscribers.ts";

const EXECUTION = newId(1, Date.now());
/** More than are told at once. */
const MACHINES = Array.from({ length: 70 }, (_, index) => newId(index % 64, index));

let testDatabase: TestDatabase;
let database: Database;
let bus: EventBus;
let subscribers: Subscribers;
beforeAll(async () => {
  testDatabase = await createTestDatabase({ schema: "statemachine", migrations: stateMachineMigrations });
  database = testDatabase.open();
  await database.query({
    text: "insert into subscribed_workflows (namespace, workflow_id) values ('default', 'refill')",
    values: [],
  });
  await database.query({
    text: `insert into subscriptions (machine_id, position, namespace, workflow_id, statuses, labels, event, since)
      select id, 0, 'default', 'refill', '{completed}', '{}', '', now() - interval '1 hour' from unnest($1::uuid[]) id`,
    values: [MACHINES],
  });
});
afterAll(() => testDatabase.drop());
beforeEach(() => {
  bus = createMemoryBus({ limits: { redeliveryMinMs: 1, redeliveryMaxMs: 2 } });
});
afterEach(async () => {
  await subscribers.stop();
  await bus.close();
});

/** Publishes an end, and gives whom it was told when it was handled, or parked. */
async function end(outside: Partial<SubscribersOptions["outside"]>): Promise<Set<string>> {
  const told = new Set<string>();
  subscribers = createSubscribers({
    bus,
    database,
    outside: {
      findExecution: async () => create(ExecutionSchema, { executionId: EXECUTION }),
      ...outside,
      async sendEvent(to, event) {
        await outside.sendEvent?.(to, event);
        if ("machineId" in to) told.add(to.machineId);
      },
    },
    logger: createLogger({ name: "test", level: "silent" }),
  });
  subscribers.listen();
  const event = create(ExecutionEventSchema, {
    executionId: EXECUTION,
    seq: 2n,
    occurredAt: timestampFromMs(Date.now()),
    event: { case: "executionCompleted", value: { namespace: "default", workflowId: "refill" } },
  });
  const id = { id: `${EXECUTION}/2`, source: "/heddle/execution", key: EXECUTION };
  await bus.publish([createRawEventMessage(ExecutionEventSchema.typeName, toBinary(ExecutionEventSchema, event), id)]);
  return told;
}

function refusal(kind: DomainError["kind"], reason: string): DomainError {
  return new DomainError({ kind, reason, message: reason });
}

async function parked(): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: "select count(*)::integer as count from event_poison",
    values: [],
  });
  return rows[0]!.count;
}

it("tells all machines but the one that can take nothing", async () => {
  const broken = MACHINES[0]!;
  const told = await end({
    async sendEvent(to) {
      if ("machineId" in to && to.machineId === broken) throw refusal("failed_precondition", "AGGREGATE_QUARANTINED");
    },
  });
  expect(told).toEqual(new Set(MACHINES.slice(1)));
  expect(await parked()).toBe(0);
});

it("waits while the execution service is away for longer than a bad event would be tried", async () => {
  let calls = 0;
  const told = await end({
    async findExecution() {
      calls += 1;
      if (calls <= 20) throw refusal("unavailable", "UNAVAILABLE");
      return create(ExecutionSchema, { executionId: EXECUTION });
    },
  });
  expect(told).toEqual(new Set(MACHINES));
  expect(await parked()).toBe(0);
});
