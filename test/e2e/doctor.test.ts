import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { partitionBits } from "@heddle/journal";
import { LinkService, type OpenLinkRequestSchema } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { type Client, createClient, createWorker, type Execution } from "@heddle/sdk";
import { shardOf } from "@heddle/shards";
import { type Database, openDatabase, startEmbeddedPostgres } from "@heddle/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { handlers, programs } from "./kill-workload.ts";
import { createRandom } from "./random.ts";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

const WAITING = `workflow:
  id: waiting
  type: dag
  nodes:
    - { id: before, type: action, subtype: transform, params: { value: "of \${input.name}" } }
    - { id: pause, type: action, subtype: wait, params: { signal: go, duration: "\${input.duration}" }, dependencies: [before] }
    - { id: after, type: action, subtype: transform, params: { value: done }, dependencies: [pause] }
`;
/** Its events before it waits, and all of them. */
const FIRST_TURN = 3;
const LAST = 7;
const PARENT = `workflow:
  id: parent
  type: dag
  nodes: [{ id: kid, type: sub_workflow, workflow_id: waiting, inputs: { name: kid, duration: 1h } }]
`;
const NOBODY = `workflow:
  id: nobody
  type: dag
  nodes: [{ id: lonely, type: tool, tool: tool_that_nobody_has }]
`;
const OUTER = `workflow:
  id: outer
  type: state_machine
  states:
    - { name: waiting, invoke: { id: kid, machine: inner } }
`;
const INNER = `workflow:
  id: inner
  type: state_machine
  states:
    - { name: waiting, transitions: [{ after: 1h, target: over }] }
    - { name: over, type: final }
`;

const PATIENT = { timeout: 20_000 };

interface Report {
  clean: boolean;
  unchecked: string[];
  checks: {
    id: string;
    looked: number;
    violations: number;
    findings: { executionId?: string; machineId?: string; message: string }[];
    notes: string[];
    unchecked?: string;
  }[];
}

interface Examined {
  code: number;
  report: Report;
  /** Executions and state machines, or messages where there is none, by check; only those with findings. */
  found: Record<string, string[]>;
}

function doctor(address: string, ...args: string[]): Promise<Examined> {
  return new Promise((resolve, reject) => {
    const all = [join(ROOT, "libs/cli/bin/heddle.js"), "doctor", "--json", "--address", address, ...args];
    execFile(process.execPath, all, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout === "") return reject(new Error(`heddle doctor said nothing: ${stderr}`));
      const report = JSON.parse(stdout) as Report;
      const found = report.checks
        .filter(({ findings }) => findings.length > 0)
        .map(({ id, findings }) => [
          id,
          findings.map(({ executionId, machineId, message }) => executionId ?? machineId ?? message),
        ]);
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, report, found: Object.fromEntries(found) as Record<string, string[]> });
    });
  });
}

/** Each violation is planted into a suite that runs, found, and taken back: what is found is what was planted, and nothing else. */
describe("heddle doctor finds what was planted", () => {
  let dev: TestDevProcess;
  let database: Database;
  let client: Client;
  let folder: string;
  let eventLog: string;

  /** Suspicions have little time here: nothing else happens in this suite. */
  const examine = (...args: string[]): Promise<Examined> => doctor(dev.url, "--patience", "1s", ...args);
  const sql = (text: string, ...values: unknown[]) => database.query({ text, values });
  const start = async (workflowId: string, input: Record<string, string> = {}): Promise<Execution> =>
    await client.start({ workflowId, input });
  const startWaiting = (): Promise<Execution> => start("waiting", { name: "one", duration: "1h" });

  /** Ran in two turns, so that its history has two chunks. */
  const startAndEnd = async (): Promise<string> => {
    const { executionId } = await startWaiting();
    await projected(executionId, FIRST_TURN);
    await client.signal(executionId, "go", { payload: {} });
    await client.wait(executionId);
    await expect
      .poll(
        async () =>
          (await sql("select 1 from executions where execution_id = $1 and ended_at is not null", executionId))
            .rowCount,
        PATIENT,
      )
      .toBe(1);
    return executionId;
  };

  const projected = async (executionId: string, seq: number): Promise<void> => {
    await expect
      .poll(async () => {
        const { rows } = await sql("select last_seq from executions where execution_id = $1", executionId);
        return Number((rows[0] as { last_seq: string } | undefined)?.last_seq ?? 0);
      }, PATIENT)
      .toBeGreaterThanOrEqual(seq);
  };

  async function open(previous?: TestDevProcess): Promise<void> {
    dev = await startDev({
      dataDir: previous?.dataDir,
      env: { HEDDLE_EVENT_LOG: eventLog, HEDDLE_LOG_LEVEL: "error" },
    });
    const { url } = await startEmbeddedPostgres({ dataDir: join(dev.dataDir, "postgres") });
    database = openDatabase({ url, schema: "execution" });
    client = createClient({ address: dev.url });
  }

  async function close(): Promise<void> {
    client.close();
    await database.close();
    await dev.stop();
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-doctor-"));
    eventLog = join(folder, "events.ndjson");
    await open();
    for (const source of [WAITING, PARENT, NOBODY, INNER, OUTER]) await client.publish({ source });
  });
  afterAll(async () => {
    client.close();
    await database.close();
    await disposeDev(dev);
    await rm(folder, { recursive: true, force: true });
  });

  it("nothing, where nothing is wrong", async () => {
    await startAndEnd();
    await startWaiting();
    await start("parent");
    await start("nobody");
    const { code, report, found } = await examine("--event-log", eventLog);
    expect(found).toEqual({});
    expect(report).toMatchObject({ clean: true, unchecked: [] });
    expect(code).toBe(0);
    const looked = Object.fromEntries(report.checks.map((check) => [check.id, check.looked]));
    // A check that looked at nothing would find nothing.
    for (const id of [
      "gaps",
      "replay",
      "outbox",
      "wake-ups",
      "timers",
      "children",
      "leftovers",
      "slots",
      "leases",
      "lag",
    ]) {
      expect(looked[id], id).toBeGreaterThan(0);
    }
  });

  it("a chunk of a history that is gone", async () => {
    const id = await startAndEnd();
    const { rows } = await sql("delete from history where id = $1 and first_seq = 1 returning *", id);
    const { code, found, report } = await examine();
    expect(found).toEqual({ gaps: [id] });
    expect(code).toBe(7);
    expect(report.checks.find((check) => check.id === "gaps")?.findings[0]?.message).toMatch(/lacks events 1 to \d+/);
    const row = rows[0] as Record<string, unknown>;
    await sql(
      "insert into history (id, first_seq, last_seq, encoding, events) values ($1, $2, $3, $4, $5)",
      ...["id", "first_seq", "last_seq", "encoding", "events"].map((name) => row[name]),
    );
  });

  it("a chunk whose events are others than it says", async () => {
    const id = await startAndEnd();
    const { rows } = await sql("select events, encoding from history where id = $1 and first_seq > 1", id);
    const kept = rows[0] as { events: Buffer; encoding: number };
    await sql(
      "update history set events = (select events from history where id = $1 and first_seq = 1), encoding = (select encoding from history where id = $1 and first_seq = 1) where id = $1 and first_seq > 1",
      id,
    );
    expect((await examine()).found).toEqual({ replay: [id] });
    await sql(
      "update history set events = $2, encoding = $3 where id = $1 and first_seq > 1",
      id,
      kept.events,
      kept.encoding,
    );
  });

  it("a snapshot that its history does not give", async () => {
    const id = await startAndEnd();
    const change = (from: string, to: string) =>
      sql(
        "update executions set snapshot = convert_to(replace(convert_from(snapshot, 'UTF8'), $2, $3), 'UTF8') where execution_id = $1",
        id,
        from,
        to,
      );
    await change('"of one"', '"of two"');
    const { found, report } = await examine();
    expect(found).toEqual({ replay: [id] });
    expect(report.checks.find((check) => check.id === "replay")?.findings[0]?.message).toContain(
      '"of two", not "of one"',
    );
    await change('"of two"', '"of one"');
    // A sample finds what is in it.
    await change('"status":"completed","attempt"', '"status":"waiting","attempt"');
    expect((await examine("--sample", "1000")).found).toEqual({ replay: [id], leftovers: [id] });
    await change('"status":"waiting","attempt"', '"status":"completed","attempt"');
  });

  it("a request id that started two executions", async () => {
    const first = await client.start({
      workflowId: "waiting",
      input: { name: "one", duration: "1h" },
      requestId: "once",
    });
    const second = await startAndEnd();
    await projected(first.executionId, FIRST_TURN);
    await sql("drop index executions_by_request");
    await sql("update executions set request_id = 'once' where execution_id = $1", second);
    const { found } = await examine();
    expect(Object.keys(found)).toEqual(["starts"]);
    expect([first.executionId, second]).toContain(found["starts"]?.[0]);
    await sql("update executions set request_id = '' where execution_id = $1", second);
    await sql("create unique index executions_by_request on executions (namespace, request_id) where request_id <> ''");
  });

  it("an execution in memory that is not projected", async () => {
    const { executionId } = await startWaiting();
    await projected(executionId, FIRST_TURN);
    await sql("create table kept as select * from executions where execution_id = $1", executionId);
    await sql("delete from executions where execution_id = $1", executionId);
    expect((await examine()).found).toEqual({ lag: [executionId] });
    await sql("insert into executions select * from kept");
    await sql("drop table kept");
  });

  it("a partition that nobody owns, and a publisher that is behind", async () => {
    const id = await startAndEnd();
    const { rows } = await sql("select partition from executions where execution_id = $1", id);
    const { partition } = rows[0] as { partition: number };
    await sql("update journal_partitions set owner = null where partition = $1", partition);
    const { found } = await examine();
    expect(found).toEqual({ leases: [`partition ${partition} has no owner: what is in it stands still`] });
    await sql("update journal_partitions set owner = 'dev' where partition = $1", partition);
    await sql("update publisher_cursors set journal_offset = 1 where partition = $1", partition);
    const behind = await examine();
    expect(Object.keys(behind.found)).toEqual(["lag"]);
    expect(behind.found["lag"]?.[0]).toContain(`partition ${partition} up to offset 1`);
    // The next commit moves it on.
    await startWaiting();
  });

  it("events that a consumer could not handle, of each service", async () => {
    const services = ["execution", "scheduler", "statemachine"];
    for (const service of services) {
      await sql(`insert into ${service}.event_poison (consumer_group, topic, partition, message_id, message_key, message_value, message_headers, attempts, error)
        values ('some group', 'some.Event', 0, '1', 'a', '', '{}', 8, 'TypeError: no such field')`);
    }
    expect((await examine()).found).toEqual({
      poison: services.map(
        (service) =>
          `group some group of ${service} has set 1 message of some.Event aside; the last one failed with: TypeError: no such field`,
      ),
    });
    for (const service of services) await sql(`delete from ${service}.event_poison`);
  });

  it("state machines whose past, timer, invocation or parent is not as it was", async () => {
    const transport = createGrpcTransport(dev.url);
    const machines = createRpcClient(StateMachineService, transport);
    const { machine } = await machines.createMachine({ workflowId: "outer" });
    const parent = machine?.machineId ?? "";
    const row = (id: string) => sql("select snapshot from statemachine.machines where machine_id = $1", id);
    const read = async (id: string) =>
      ((await row(id)).rows[0] as { snapshot: Buffer } | undefined)?.snapshot.toString() ?? "";
    await expect.poll(() => read(parent), PATIENT).toContain('"startedId"');
    const [inner] = (await machines.listMachines({ workflowId: "inner" })).machines;
    const child = inner?.machineId ?? "";
    await expect.poll(() => read(child), PATIENT).toContain('"dueAt"');

    const plant = async (id: string, change: (text: string) => string, expected: Record<string, string[]>) => {
      const before = await read(id);
      expect(change(before)).not.toBe(before);
      const set = "update statemachine.machines set snapshot = $2 where machine_id = $1";
      await sql(set, id, Buffer.from(change(before)));
      expect((await examine()).found).toEqual(expected);
      await sql(set, id, Buffer.from(before));
    };
    await plant(child, (text) => text.replace(/"dueAt":\d+/, '"dueAt":1'), { replay: [child], timers: [child] });
    await plant(parent, (text) => text.replace(/,"startedId":"[^"]*"/, ""), { replay: [parent], machines: [parent] });

    await sql("create table kept as select * from statemachine.machines where machine_id = $1", parent);
    await sql("delete from statemachine.machines where machine_id = $1", parent);
    expect((await examine()).found).toEqual({ machines: [child] });
    await sql("insert into statemachine.machines select * from kept");
    await sql("drop table kept");

    await sql("create table kept as select * from statemachine.history where id = $1", parent);
    await sql("delete from statemachine.history where id = $1 and first_seq = 1", parent);
    expect((await examine()).found).toEqual({ gaps: [parent] });
    await sql("delete from statemachine.history where id = $1", parent);
    await sql("insert into statemachine.history select * from kept");
    await sql("drop table kept");

    await machines.deleteMachine({ machineId: parent });
    await expect.poll(async () => (await examine()).found, PATIENT).toEqual({});
    transport.close();
  });

  it("events that were lost, that never happened, and that came in the wrong order", async () => {
    // What began as the log began may have been published before.
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    const ids = [
      await startAndEnd(),
      await startAndEnd(),
      await startAndEnd(),
      await startAndEnd(),
      await startAndEnd(),
    ];
    const [gap, end, all, order, twice] = ids as [string, string, string, string, string];
    const invented = `${"0".repeat(8)}-0000-7000-8000-${"0".repeat(12)}`;
    await expect
      .poll(async () => (await readFile(eventLog, "utf8")).includes(`"${twice}/${LAST}"`), PATIENT)
      .toBe(true);
    const lines = (await readFile(eventLog, "utf8")).trimEnd().split("\n");
    const at = (id: string): number => lines.findIndex((line) => line.includes(`"id":"${id}"`));
    const [third, fourth] = [at(`${order}/3`), at(`${order}/4`)];
    const copy = lines.slice();
    [copy[third], copy[fourth]] = [lines[fourth] as string, lines[third] as string];
    copy.push(lines[at(`${twice}/2`)] as string);
    copy.push((lines[at(`${twice}/2`)] as string).replaceAll(twice, invented));
    const isLost = (line: string): boolean =>
      line.includes(`"id":"${gap}/4"`) || line.includes(`"id":"${end}/${LAST}"`) || line.includes(`"subject":"${all}"`);
    const path = join(folder, "copy.ndjson");
    await writeFile(path, `${copy.filter((line) => !isLost(line)).join("\n")}\n`);
    const { found, report } = await examine("--event-log", path);
    expect(Object.keys(found)).toEqual(["outbox"]);
    expect(found["outbox"]?.toSorted()).toEqual([gap, end, all, order, invented].toSorted());
    expect(report.checks.find((check) => check.id === "outbox")?.notes.join()).toContain("1 of them twice");
    expect((await examine("--event-log", eventLog)).found).toEqual({});
  });

  it("a task that the scheduler has lost, and one that nobody wants", async () => {
    const { executionId } = await start("nobody");
    const unwanted = `${randomUUID()}/x/1`;
    const transport = createGrpcTransport(dev.url);
    const stream = transport.openStream(LinkService.method.openLink, { onMessage() {}, onEnd() {} });
    const send = (frame: NonNullable<MessageInitShape<typeof OpenLinkRequestSchema>["frame"]>): boolean =>
      stream.send({ frame });
    send({ case: "hello", value: { ownerId: "stranger", shard: shardOf("default") } });
    send({ case: "cancel", value: { taskIds: [`${executionId}/lonely/1`] } });
    await expect.poll(async () => (await examine()).found, PATIENT).toEqual({ "wake-ups": [executionId] });
    await client.cancel(executionId);
    // As the owner of its partition, which alone may ask for tasks of it.
    send({
      case: "sync",
      value: {
        partitions: [partitionBits(unwanted) % 64],
        tasks: [{ taskId: unwanted, namespace: "default", type: TaskType.TOOL, name: "tool_that_nobody_has" }],
        last: true,
      },
    });
    await expect.poll(async () => (await examine()).found, PATIENT).toEqual({ slots: [unwanted.slice(0, 36)] });
    send({ case: "cancel", value: { taskIds: [unwanted] } });
    await expect.poll(async () => (await examine()).found, PATIENT).toEqual({});
    stream.cancel();
    transport.close();
  });

  it("an orphan, and an execution that nobody will wake though its timer is overdue", async () => {
    const { executionId: parent } = await start("parent");
    // Long enough that the suite has ended before it fires.
    const { executionId: asleep } = await start("waiting", { name: "one", duration: "5s" });
    const overdueAt = performance.now() + 6_500;
    await projected(asleep, FIRST_TURN);
    await expect
      .poll(
        async () => (await sql("select 1 from executions where parent_execution_id = $1", parent)).rowCount,
        PATIENT,
      )
      .toBe(1);
    const { rows } = await sql("select execution_id from executions where parent_execution_id = $1", parent);
    const { execution_id: child } = rows[0] as { execution_id: string };
    const before = dev;
    await dev.stop();
    await sql("delete from executions where execution_id = $1", parent);
    await sql("delete from history where id = $1", parent);
    // The recovery must not find it.
    await sql("update executions set ended_at = now() where execution_id = $1", asleep);
    client.close();
    await database.close();
    await open(before);
    await sql("update executions set ended_at = null where execution_id = $1", asleep);
    await new Promise((resolve) => setTimeout(resolve, overdueAt - performance.now()));
    const { found } = await doctor(dev.url, "--patience", "3s", "--overdue-after", "1s");
    expect(found).toEqual({ children: [child], "wake-ups": [asleep], timers: [asleep] });
    // A restart mends one of them, as it says.
    await client.cancel(child);
    const again = dev;
    await close();
    await open(again);
    await client.wait(asleep).catch(() => undefined);
    expect((await examine("--overdue-after", "1s")).found).toEqual({});
  });

  it("that it could not look, when nobody answers", async () => {
    await expect(doctor("http://127.0.0.1:1")).rejects.toThrow(/no server answers/);
    const { code, report } = await examine("--brokers", "127.0.0.1:1");
    expect(code).toBe(8);
    expect(report.unchecked).toHaveLength(1);
    expect(report.checks.find(({ id }) => id === "outbox")?.unchecked).toContain("events cannot be read");
  });
});

describe(`heddle doctor after kill -9 in the middle of work (SEED=${SEED})`, () => {
  it("finds nothing", async () => {
    console.log(`SEED=${SEED} repeats this run`);
    const random = createRandom(SEED);
    const folder = await mkdtemp(join(tmpdir(), "heddle-doctor-"));
    const env = {
      HEDDLE_EVENT_LOG: join(folder, "events.ndjson"),
      HEDDLE_PORT_FALLBACK: "0",
      HEDDLE_LOG_LEVEL: "error",
    };
    let dev = await startDev({ env });
    const client = createClient({ address: dev.url });
    const worker = createWorker({ address: dev.url, handlers, slots: 16 });
    for (const { source } of programs) await client.publish({ source });
    await worker.start();
    const started: string[] = [];
    const starting = (async () => {
      for (let n = 0; n < 60; n++) {
        const { workflowId } = programs[random.below(programs.length)] as (typeof programs)[number];
        const options = { workflowId, input: { n }, requestId: `doctor-${n}` };
        started.push((await client.start(options, { timeoutMs: 120_000 })).executionId);
      }
    })();
    for (let kills = 0; kills < 5; kills++) {
      await new Promise((resolve) => setTimeout(resolve, 50 + random.below(300)));
      const { port } = new URL(dev.url);
      await dev.kill();
      dev = await startDev({ dataDir: dev.dataDir, port: Number(port), env });
    }
    await starting;
    // In the middle of what is left, and when all is done.
    const during = await doctor(dev.url, "--event-log", env.HEDDLE_EVENT_LOG);
    expect(during.found).toEqual({});
    for (const id of started) await client.wait(id, { timeoutMs: 120_000 });
    const after = await doctor(dev.url, "--event-log", env.HEDDLE_EVENT_LOG);
    expect(after.found).toEqual({});
    expect(after.code).toBe(0);
    expect(after.report.checks.find(({ id }) => id === "replay")?.looked).toBeGreaterThanOrEqual(60);
    await worker.stop();
    client.close();
    await disposeDev(dev);
    await rm(folder, { recursive: true, force: true });
  }, 300_000);
});
