import { newId } from "@heddle/journal";
import { BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { RpcClient } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase, type TestDatabase } from "@heddle/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createBatchRunner } from "../src/batches/runner.ts";
import { toFilter } from "../src/batches/to-proto.ts";
import { executionMigrations } from "../src/index.ts";
import { changeStatus, claimTargets, findBatch, insertBatch, recordOutcomes } from "../src/store/batches.ts";

const PARTITION = 5;
const TARGETS = 8;
const RATE = 2;

let test: TestDatabase;
let batchId: string;
beforeEach(async () => {
  test = await createTestDatabase({ schema: "execution", migrations: executionMigrations });
  const ids = Array.from({ length: TARGETS }, () => newId(PARTITION, Date.now() - 1_000));
  await test.database.query({
    text: `insert into executions (execution_id, partition, namespace, workflow_id, version, status, request_id, priority, labels, started_at, last_seq, snapshot)
      select id, ${PARTITION}, 'default', 'patient', 1, 1, '', 5, '{}', now() - interval '1 second', 1, '' from unnest($1::uuid[]) as id`,
    values: [ids],
  });
  batchId = newId(PARTITION, Date.now());
  await insertBatch(test.database, {
    id: batchId,
    partition: PARTITION,
    namespace: "default",
    requestId: "",
    spec: { operation: { cancel: { reason: "" } }, pace: { ratePerSecond: RATE } },
    claimEnd: "ffffffff-ffff-ffff-ffff-ffffffffffff",
    canaryPassed: true,
    matched: TARGETS,
  });
});
afterEach(() => test.drop());

it("is worked on by the owner of its partition alone, also when that changes in the middle", async () => {
  let owner = "a";
  const canceledBy: string[] = [];
  const runners = ["a", "b"].map((name) =>
    createBatchRunner({
      database: test.database,
      executions: {
        cancelExecution: async () => {
          canceledBy.push(name);
          owner = "b";
        },
      } as unknown as RpcClient<typeof ExecutionService>,
      ownedPartitions: () => (owner === name ? [PARTITION] : []),
      intervalMs: 10,
      logger: createLogger({ name: "test", level: "silent" }),
    }),
  );
  for (const runner of runners) runner.start();
  await expect
    .poll(async () => (await findBatch(test.database, batchId))?.status, { timeout: 30_000 })
    .toBe(BatchStatus.COMPLETED);
  await Promise.all(runners.map((runner) => runner.stop()));
  expect(canceledBy.filter((name) => name === "a")).toHaveLength(RATE);
  expect((await findBatch(test.database, batchId))?.succeeded).toBe(`${TARGETS}`);
});

it("has not completed while another process is about what it has claimed", async () => {
  const target = { filter: toFilter("default", undefined), need: () => "ended_at is null" };
  const claimed = await claimTargets(test.database, batchId, target, 100);
  expect(claimed).toHaveLength(TARGETS);
  const change = { from: [BatchStatus.RUNNING], to: BatchStatus.COMPLETED, reason: "", ifSettled: true };
  expect(await changeStatus(test.database, batchId, change)).toBe(false);
  const outcomes = claimed.map((executionId) => ({ executionId, result: "succeeded" as const }));
  await recordOutcomes(test.database, batchId, outcomes);
  expect(await changeStatus(test.database, batchId, change)).toBe(true);
});
