import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createKafkaBus, type EventMessage, partitionOfKey, readTopicsFile } from "@heddle/events";
import { privateTestKafka } from "@heddle/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { runProgram } from "../program.ts";
import { type History, type PublishedSuite, startPublishedSuite } from "./published-suite.ts";
import {
  type EventJson,
  findGoConsumer,
  findPythonConsumer,
  preparePython,
  type ReadEvent,
  type Stranger,
} from "./stranger.ts";

const TOPIC = "heddle.execution.v1.ExecutionEvent";
const EXECUTIONS = 30;
/** Builds of the strangers, a minute or two the first time, and the start of all processes. */
const PREPARE_TIMEOUT_MS = 600_000;
const ARRIVAL_TIMEOUT_MS = 60_000;

/** Some kinds of events, and text beyond ASCII. */
const WORKFLOW = `workflow:
  id: interop
  type: dag
  nodes:
    - { id: sum, type: action, subtype: transform, params: { value: "\${input.n + 1}" } }
    - { id: note, type: action, subtype: log, dependencies: [sum], params: { message: "größer: \${sum.output}", level: info } }
    - { id: announce, type: action, subtype: emit, dependencies: [note], params: { event: summed, payload: { sum: "\${sum.output}" } } }
  output: { sum: "\${sum.output}" }
`;

const kafkaMissing = privateTestKafka().skipReason;
const folder = mkdtempSync(join(tmpdir(), "heddle-interop-"));
const descriptors = join(folder, "heddle.binpb");
const page = readFileSync("docs/events.md", "utf8");
let suite: PublishedSuite;
let histories: Map<string, History>;
/** What our own bus reads of the topic, each event once, by id. */
let published: Map<string, EventMessage>;

beforeEach((context) => {
  if (kafkaMissing !== undefined) context.skip(kafkaMissing);
});
beforeAll(async () => {
  if (kafkaMissing !== undefined) return;
  const built = await runProgram("buf", ["build", "-o", descriptors]);
  expect(built.stderr).toBe("");
  suite = await startPublishedSuite();
  histories = await suite.run(WORKFLOW, EXECUTIONS);
  published = await readAll(suite.brokers, [...histories.values()].flat().length);
}, PREPARE_TIMEOUT_MS);
afterAll(async () => {
  await suite?.stop();
  rmSync(folder, { recursive: true });
});

/** Resolves when so many different events have arrived. */
async function readAll(brokers: string[], count: number): Promise<Map<string, EventMessage>> {
  const bus = createKafkaBus({ brokers, clientId: "interop", topics: await readTopicsFile("deploy/topics.yaml") });
  const messages = new Map<string, EventMessage>();
  bus.subscribe({
    group: "interop",
    topics: [TOPIC],
    async handler(batch) {
      for (const message of batch) messages.set(message.headers.ce_id, message);
    },
    parkPoison: async ({ error }) => expect.unreachable(String(error)),
  });
  try {
    await vi.waitFor(() => expect(messages.size).toBe(count), { timeout: ARRIVAL_TIMEOUT_MS, interval: 20 });
  } finally {
    await bus.close();
  }
  return messages;
}

const strangers: [name: string, find: () => Promise<Stranger>][] = [
  ["Python with confluent-kafka", findPythonConsumer],
  ["Go with franz-go", findGoConsumer],
];

describe.each(strangers)("%s", (_name, find) => {
  let stranger: Stranger;
  let events: ReadEvent[];
  beforeAll(async () => {
    if (kafkaMissing !== undefined) return;
    stranger = await find();
    if (stranger.skipReason === undefined) events = await stranger.read(suite.brokers, TOPIC, descriptors);
  }, PREPARE_TIMEOUT_MS);
  beforeEach((context) => {
    if (stranger?.skipReason !== undefined) context.skip(stranger.skipReason);
  });

  test("reads every event, each key in order and in one partition", () => {
    for (const [executionId, history] of histories) {
      const own = withoutCopies(events.filter(({ key }) => key === executionId));
      expect(own.map(({ event }) => event)).toEqual(history);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
    }
    expect(new Set(events.map(({ key }) => key))).toEqual(new Set(histories.keys()));
  });

  test("would put each key into the partition where it is, of several", () => {
    for (const { key, partition, keyBelongsTo } of events) expect([key, keyBelongsTo]).toEqual([key, partition]);
    expect(new Set(events.map(({ partition }) => partition)).size).toBeGreaterThan(1);
  });

  test("finds the attributes of CloudEvents in the headers", () => {
    for (const { key, headers, event } of events) {
      expect(headers).toMatchObject({
        ce_id: `${key}/${event.seq}`,
        ce_source: "/heddle/execution",
        ce_type: TOPIC,
        ce_specversion: "1.0",
        ce_subject: key,
        "content-type": "application/protobuf",
        "heddle-partition": expect.stringMatching(/^\d+$/),
        "heddle-offset": expect.stringMatching(/^\d+$/),
        "heddle-index": expect.stringMatching(/^\d+$/),
      });
    }
  });
});

/** Delivery is at least once: the first of several with the same id counts, as docs/events.md says. */
function withoutCopies(events: readonly ReadEvent[]): ReadEvent[] {
  const first = new Map<string, ReadEvent>();
  for (const event of events.toSorted((a, b) => a.offset - b.offset)) {
    const id = event.headers["ce_id"] ?? "";
    if (!first.has(id)) first.set(id, event);
  }
  return [...first.values()];
}

/** What docs/events.md tells strangers to type, with the places of this run. */
function documented(language: "python" | "sh"): string {
  const [, code = ""] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "ms").exec(page) ?? [];
  expect(code).toContain("127.0.0.1:9092");
  return code.replaceAll("127.0.0.1:9092", suite.brokers[0] ?? "");
}

test("buf convert makes JSON of a value, as documented", async () => {
  const [executionId = "", history = []] = histories.entries().next().value ?? [];
  expect(history.length).toBeGreaterThan(3);
  const convert = documented("sh").match(/^buf convert .*$/m)?.[0] ?? "";
  for (const event of history) {
    writeFileSync(join(folder, "value.binpb"), published.get(`${executionId}/${event.seq}`)?.value ?? "");
    const { stdout, stderr } = await runProgram("sh", ["-c", `cd ${folder}; topic=${TOPIC}; ${convert}`]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout.toString())).toEqual(event);
  }
});

test("kcat shows what is there, as documented", async (context) => {
  const { code } = await runProgram("kcat", ["-V"]);
  if (code !== 0) return context.skip("install kcat: apt-get install kcat");
  const partition = [...published.values()].map(({ key }) => partitionOfKey(key, 12))[0];
  const commands = documented("sh").replace("-p 4 -o 17", `-p ${partition} -o 1`);
  const { stdout, stderr } = await runProgram("sh", ["-ec", `cd ${folder}; ${commands}`]);
  expect(stderr).toBe("");
  const lines = stdout.toString().trim().split("\n");
  const listed = lines.slice(0, -1).map((line) => line.split(" "));
  expect(new Set(listed.map(([, , key]) => key))).toEqual(new Set(histories.keys()));
  const there = listed.find(([at, offset]) => at === String(partition) && offset === "1");
  const shown = JSON.parse(lines.at(-1) ?? "") as EventJson;
  expect(there?.[3]).toContain(`ce_id=${shown.executionId}/${shown.seq},`);
});

test("the program in Python does what it says, as documented", async (context) => {
  const { skipReason, environment } = await preparePython();
  if (skipReason !== undefined) return context.skip(skipReason);
  const program = spawn(join(environment, "bin/python"), ["-u", "-c", documented("python")], { cwd: folder });
  try {
    const seen = new Map<string, unknown>();
    for await (const line of createInterface(program.stdout)) {
      const [, id = "", kind = "", json = ""] = /^(\S+) (\w+) (.*)$/.exec(line) ?? [];
      seen.set(id, Object.keys(JSON.parse(json) as object).includes(camelCase(kind)));
      if (seen.size === published.size) break;
    }
    expect(seen).toEqual(new Map([...published.keys()].map((id) => [id, true])));
  } finally {
    const exited = once(program, "exit");
    program.kill("SIGKILL");
    await exited;
  }
});

/** proto3 JSON's name of a field. */
function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
