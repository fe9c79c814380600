import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, createWorker, type Execution, type ExecutionEvent } from "@heddle/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handlers, programs } from "./kill-workload.ts";
import { createRandom } from "./random.ts";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const KILLS = Number(process.env["KILLS"] ?? 50);
const EXECUTIONS = 200;

/*
 * The whole suite is killed with -9 at seeded moments while executions run, and started again on the same data. The
 * recorder stands outside: what the client was told, what the history says, and what the event log holds must agree.
 */
describe(`kill -9 of the whole process (SEED=${SEED})`, () => {
  const random = createRandom(SEED);
  let dev: TestDevProcess;
  let eventLog: string;
  let kills = 0;
  const acknowledged = new Map<string, { n: number; expected: unknown }>();

  beforeAll(async () => {
    console.log(`SEED=${SEED} repeats this run`);
    eventLog = join(await mkdtemp(join(tmpdir(), "heddle-events-")), "events.ndjson");
    dev = await start();
    await run();
  }, 900_000);
  afterAll(() => disposeDev(dev));

  function start(previous?: TestDevProcess): Promise<TestDevProcess> {
    return startDev({
      dataDir: previous?.dataDir,
      port: previous === undefined ? 0 : Number(new URL(previous.url).port),
      env: { HEDDLE_EVENT_LOG: eventLog, HEDDLE_PORT_FALLBACK: "0", HEDDLE_LOG_LEVEL: "error" },
    });
  }

  async function run(): Promise<void> {
    const client = createClient({ address: dev.url });
    const worker = createWorker({ address: dev.url, handlers, slots: 32 });
    for (const { source } of programs) await client.publish({ source });
    await worker.start();
    let started = 0;
    const starting = (async () => {
      for (let n = 0; n < EXECUTIONS; n++) {
        const program = programs[random.below(programs.length)] as (typeof programs)[number];
        const execution = await client.start(
          { workflowId: program.workflowId, input: { n }, requestId: `kill-${n}`, labels: { run: "kill" } },
          { timeoutMs: 120_000 },
        );
        acknowledged.set(execution.executionId, { n, expected: program.expected(n) });
        started += 1;
        // The starts are spread over all kills, so that each of them meets work in every stage.
        while (kills < KILLS && started / EXECUTIONS > (kills + 1) / KILLS) await sleep(5);
      }
    })();
    while (kills < KILLS) {
      // Mostly in the middle of work, now and then while everything is still being recovered.
      if (random.below(5) > 0) while (!worker.stats.connected) await sleep(5);
      await sleep(20 + random.below(400));
      await dev.kill();
      kills += 1;
      dev = await start(dev);
    }
    await starting;
    for (const executionId of acknowledged.keys()) await client.wait(executionId, { timeoutMs: 120_000 });
    await worker.stop();
    client.close();
  }

  it("lost no start that was acknowledged, and made none twice", async () => {
    const client = createClient({ address: dev.url });
    expect(acknowledged.size).toBe(EXECUTIONS);
    const listed: Execution[] = [];
    await expect
      .poll(async () => {
        listed.length = 0;
        for await (const execution of client.list({ labels: { run: "kill" } })) {
          if (execution.parent === undefined) listed.push(execution);
        }
        return listed.length;
      })
      .toBe(EXECUTIONS);
    expect(new Set(listed.map((execution) => execution.requestId)).size).toBe(EXECUTIONS);
    for (const execution of listed) expect(acknowledged.has(execution.executionId)).toBe(true);
    client.close();
  });

  it("finished each of them with the right result", async () => {
    const client = createClient({ address: dev.url });
    for (const [executionId, { expected }] of acknowledged) {
      const execution = await client.get(executionId);
      expect(execution, JSON.stringify(execution.failure)).toMatchObject({ status: "completed", output: expected });
    }
    client.close();
  });

  it("kept gapless histories in which no attempt is completed twice, and published exactly them, in order", async () => {
    const client = createClient({ address: dev.url });
    const ids: string[] = [];
    for await (const execution of client.list({})) ids.push(execution.executionId);
    expect(ids.length).toBeGreaterThanOrEqual(EXECUTIONS);
    const total = { events: 0 };
    for (const id of ids) {
      const events: ExecutionEvent[] = [];
      for await (const event of client.history(id)) events.push(event);
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
      const ends = events
        .filter((event) => event.type === "task_completed" || event.type === "task_failed")
        .map((event) => `${event.nodeId}/${event.attempt}`);
      expect(new Set(ends).size).toBe(ends.length);
      total.events += events.length;
    }
    await expect.poll(async () => (await readLog()).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(total.events);
    const log = await readLog();
    const published = new Map<string, number[]>();
    for (const { executionId, seq } of log) published.set(executionId, [...(published.get(executionId) ?? []), seq]);
    expect(log).toHaveLength(total.events);
    for (const seqs of published.values()) expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    client.close();
  });

  it("ends in order on SIGTERM", async () => {
    expect(await dev.stop()).toBe(0);
  });

  interface LogEntry {
    executionId: string;
    seq: number;
  }

  async function readLog(): Promise<LogEntry[]> {
    const lines = (await readFile(eventLog, "utf8")).split("\n").filter((line) => line !== "");
    return lines
      .map((line) => JSON.parse(line) as { type: string; id: string; subject: string })
      .filter((event) => event.type === "heddle.execution.v1.ExecutionEvent")
      .map((event) => ({ executionId: event.subject, seq: Number(event.id.slice(event.subject.length + 1)) }));
  }
});
