import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import type { EventMessage } from "@heddle/events";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { afterEach, expect, it } from "vitest";
import { executionMigrations } from "../src/index.ts";
import { startReplica } from "./support/replica.ts";
import { DOUBLE } from "./support/sources.ts";

/** `make chaos-postgres` runs more, on processes. */
const EXECUTIONS = 1_500;
const CLIENTS = 50;
/** Time between two stops, and how long the database is away. */
const UP_MS = 3_000;
const DOWN_MAX_MS = 2_000;

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).toReversed()) await step();
});

it("runs workflows at two replicas while the database is stopped at once, again and again", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "heddle-stops-"));
  let postgres = await startEmbeddedPostgres({ dataDir });
  cleanup.push(async () => {
    await (await startEmbeddedPostgres({ dataDir })).stop();
    for (const path of [postgres.dataPath, dataDir]) rmSync(path, { recursive: true, force: true });
  });
  const open = () => {
    const database = openDatabase({ url: postgres.url, schema: "execution" });
    cleanup.push(() => database.close());
    return database;
  };
  const database = open();
  await database.migrate(executionMigrations);
  const published: EventMessage[] = [];
  const start = async (owner: string) => {
    const replica = await startReplica({
      database: open(),
      owner,
      sources: [DOUBLE],
      answer: (_, input) => ({ output: { n: (input as { n: number }).n * 2 } }),
      published,
    });
    cleanup.push(() => replica.stop());
    return replica;
  };
  const replicas = [await start("a"), await start("b")];

  const started = new Map<string, string>();
  const repeated = new Map<string, number>();
  let next = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    for (let n = next++; n < EXECUTIONS; n = next++) {
      for (;;) {
        try {
          const { execution } = await replicas[n % 2]!.client.startExecution(
            { workflowId: "double", requestId: String(n), input: { n } },
            { timeoutMs: 30_000 },
          );
          started.set(String(n), execution!.executionId);
          break;
        } catch (error) {
          if (!(error instanceof DomainError) || error.kind !== "unavailable") throw error;
          repeated.set(error.reason, (repeated.get(error.reason) ?? 0) + 1);
          await sleep(error.retryAfterMs ?? 100);
        }
      }
    }
  });
  const everything = Promise.all(clients);
  const ended = new AbortController();
  const stops = (async () => {
    for (let stop = 0; ; stop++) {
      await sleep(UP_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      // Not without one, however fast the machine is.
      if (ended.signal.aborted && stop > 0) return stop;
      process.kill(postgres.pid, "SIGQUIT");
      await sleep(Math.random() * DOWN_MAX_MS);
      postgres = await startEmbeddedPostgres({ dataDir });
    }
  })();
  await everything.finally(() => ended.abort());
  const stopped = await stops;

  await expect
    .poll(
      async () =>
        (
          await database.query<{ count: number }>({
            text: "select count(*)::int as count from executions where status = $1",
            values: [ExecutionStatus.COMPLETED],
          })
        ).rows[0]?.count,
      { timeout: 60_000, interval: 100 },
    )
    .toBe(EXECUTIONS);
  const { rows } = await database.query<{ id: string; request_id: string; last_seq: number; stored: number }>({
    text: `select execution_id as id, request_id, last_seq::int as last_seq,
        (select coalesce(sum(h.last_seq - h.first_seq + 1), 0)::int from history h where h.id = execution_id) as stored
      from executions`,
  });
  // One execution for each request, the one that its caller was told; and its history is complete.
  expect(Object.fromEntries(rows.map((row) => [row.request_id, row.id]))).toEqual(Object.fromEntries(started));
  expect(rows).toHaveLength(EXECUTIONS);
  expect(rows.filter((row) => row.stored !== row.last_seq)).toEqual([]);
  // What was published has no gap, and nothing that is not stored.
  const lastSeq = new Map(rows.map((row) => [row.id, row.last_seq]));
  await expect.poll(() => gaps(published, lastSeq), { timeout: 30_000, interval: 200 }).toEqual([]);
  console.log(`${stopped} stops; repeated by clients: ${JSON.stringify(Object.fromEntries(repeated))}`);
}, 240_000);

/** Executions whose events are not all there. */
function gaps(published: readonly EventMessage[], lastSeq: ReadonlyMap<string, number>): string[] {
  const seen = new Map<string, Set<number>>();
  for (const { key, value } of published) {
    const seqs = seen.get(key) ?? new Set();
    seqs.add(Number(fromBinary(ExecutionEventSchema, value).seq));
    seen.set(key, seqs);
  }
  return [...lastSeq].filter(([id, last]) => seen.get(id)?.size !== last).map(([id]) => id);
}
