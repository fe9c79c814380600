import { once } from "node:events";
import { connect } from "node:net";
import { create, type DescMethod, fromJson, type JsonValue, type Message, toBinary } from "@bufbuild/protobuf";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { type Client, createClient } from "@heddle/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hasTimes, hostileMessage, LAST_TIME, setTimes } from "./hostile-message.ts";
import { createRandom, type Random } from "./random.ts";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const SEED = Number(process.env["SEED"] ?? 20_261_122);
/** Hostile messages for each method: `SEED=7 ROUNDS=1000 make test ONLY=test/e2e/robustness` looks longer, and elsewhere. */
const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
/** Longer than any answer to nonsense may take, and shorter than the test's own limit. */
const ANSWER_MAX_MS = 20_000;

const methods = [DefinitionService, ExecutionService, SchedulerService, StateMachineService].flatMap(
  (service) => service.methods,
);
const unary = methods.filter(({ methodKind }) => methodKind === "unary");
const streams = methods.filter(({ methodKind }) => methodKind !== "unary");

const ECHO = `workflow:
  id: echo
  type: dag
  nodes:
    - { id: keys, type: action, subtype: transform, params: { value: "\${keys(input)}" } }
    - { id: polluted, type: action, subtype: transform, params: { value: "\${input.polluted ?? \\"clean\\"}" } }
    - { id: own, type: action, subtype: transform, params: { value: "\${input[\\"__proto__\\"].polluted}" } }
    - { id: builtin, type: action, subtype: transform, params: { value: "\${has(input.toString)}" } }
    - { id: maker, type: action, subtype: transform, params: { value: "\${input.constructor}" } }
  output: { keys: "\${keys.output}", polluted: "\${polluted.output}", own: "\${own.output}", builtin: "\${builtin.output}", maker: "\${maker.output}", input: "\${input}" }
`;

/** Waits at a node of every kind that somebody may tell something; its nodes are called like the texts of hostile messages. */
const LIVE_EXECUTION = `workflow:
  id: live
  type: dag
  nodes:
    - { id: echo, type: action, subtype: wait, params: { signal: echo } }
    - { id: person, type: human, title: t }
    - { id: stuck, type: action, subtype: fail, params: { message: m }, on_error: incident }
`;
const LIVE_MACHINE = `workflow:
  id: live-machine
  type: state_machine
  states:
    - name: on
      invoke: { id: echo, workflow: live }
      transitions: [{ event: echo, target: on }, { event: progress.invoke.echo, target: on }]
`;
/** Ids of what lives, so that the hostile values of the other fields get past the first look. */
const liveIds: string[] = [];

let dev: TestDevProcess;
let client: Client;
beforeAll(async () => {
  console.log(`SEED=${SEED} repeats this run`);
  dev = await startDev({ env: { HEDDLE_LOG_LEVEL: "error" } });
  client = createClient({ address: dev.url });
});
// Again and again, because some nonsense deletes or ends it.
beforeEach(async () => {
  await client.publish({ source: ECHO });
  await client.publish({ source: LIVE_EXECUTION });
  await client.publish({ source: LIVE_MACHINE });
  const { executionId } = await client.start({ workflowId: "live", workflowKey: "echo", whenRunning: "use_existing" });
  const { machineId } = await client.machines.create({ workflowId: "live-machine" });
  liveIds.splice(0, liveIds.length, executionId, machineId);
});
afterAll(async () => {
  client.close();
  await disposeDev(dev);
});

/** What a report is about: something that there is none of. */
const ABOUT = {
  executionId: "01990f5e-0000-7000-8000-000000000000",
  machineId: "01990f5e-0000-7000-8000-000000000000",
  nodeId: "echo",
  invokeId: "echo",
};

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

async function post(
  path: string,
  contentType: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(dev.url + path, {
    method: "POST",
    headers: { "content-type": contentType, ...headers },
    body,
    signal: AbortSignal.timeout(ANSWER_MAX_MS),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Whoever sent it, a request is never a defect of the server. */
function checkAnswer(answer: Awaited<ReturnType<typeof post>>, what: string): void {
  expect(answer.status, `${what}: ${answer.text}`).not.toBe(500);
  expect(answer.text, what).not.toMatch(/"code":"(internal|unknown|data_loss)"|grpc-status: ?(2|13|15)\b/);
  expect(answer.headers.get("grpc-status") ?? "0", what).not.toMatch(/^(2|13|15)$/);
}

function randomBytes(random: Random, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** One frame of gRPC: flags, length, message. */
function frame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(5 + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, 5);
  return framed;
}

describe(`requests that make no sense (SEED=${SEED})`, () => {
  const random = createRandom(SEED);

  it.each(unary.map((method) => [pathOf(method)]))("%s: random bytes in every protocol", async (path) => {
    for (const length of [1, 7, 200]) {
      const bytes = randomBytes(random, length);
      const what = `${path} ${Buffer.from(bytes).toString("hex")}`;
      checkAnswer(await post(path, "application/proto", bytes), what);
      checkAnswer(await post(path, "application/json", bytes), what);
      checkAnswer(await post(path, "application/grpc-web+proto", bytes), what);
      checkAnswer(await post(path, "application/grpc-web+proto", frame(bytes)), what);
    }
  });

  it.each(unary.map((method) => [pathOf(method), method] as const))(
    "%s: hostile values in every field",
    async (path, method) => {
      for (let round = 0; round < ROUNDS; round++) {
        const body = JSON.stringify(hostileMessage(method.input, random, liveIds));
        checkAnswer(await post(path, "application/json", body), `${path} ${body.slice(0, 500)}`);
      }
    },
  );

  it.each(unary.filter(({ input }) => hasTimes(input)).map((method) => [pathOf(method), method] as const))(
    "%s: times that no clock shows, which JSON cannot say and protobuf can",
    async (path, method) => {
      for (let round = 0; round < ROUNDS; round++) {
        const json = hostileMessage(method.input, random, liveIds) as JsonValue;
        let message: Message;
        try {
          message = fromJson(method.input, json);
        } catch {
          message = create(method.input);
        }
        setTimes(method.input, message, random);
        const answer = await post(path, "application/proto", Uint8Array.from(toBinary(method.input, message)));
        checkAnswer(answer, `${path} ${JSON.stringify(json).slice(0, 500)}`);
      }
    },
  );

  it.each([
    [pathOf(DefinitionService.method.getDefinition), { workflowId: "echo", version: 4294967295 }],
    [pathOf(DefinitionService.method.getDefinition), { workflowId: "ec\u0000ho" }],
    [pathOf(DefinitionService.method.listDefinitions), { search: "\u0000" }],
    [pathOf(DefinitionService.method.publishDefinition), { source: ECHO, requestId: "\u0000" }],
    [pathOf(ExecutionService.method.startExecution), { workflowId: "echo", version: 4294967295 }],
    [pathOf(ExecutionService.method.startExecution), { workflowId: "ec\u0000ho" }],
    [pathOf(ExecutionService.method.startExecution), { workflowId: "echo", namespace: "\u0000" }],
    [pathOf(ExecutionService.method.listExecutions), { workflowId: "\u0000", labels: { "\u0000": "\u0000" } }],
    [pathOf(ExecutionService.method.listExecutions), { parentExecutionId: "%" }],
    [pathOf(ExecutionService.method.listExecutions), { startedAfter: LAST_TIME }],
    [pathOf(ExecutionService.method.listIncidents), { openedAfter: LAST_TIME }],
    [pathOf(ExecutionService.method.reportMachine), { ...ABOUT, machineId: ABOUT.executionId, output: { json: "]" } }],
    [pathOf(ExecutionService.method.deliverEvent), { ...ABOUT, event: { payload: { json: "]" } } }],
    [pathOf(StateMachineService.method.reportInvocation), { ...ABOUT, progress: { json: "]" } }],
    [pathOf(SchedulerService.method.listWorkers), { namespace: "\u0000" }],
  ])("%s refuses what no database can hold: %j", async (path, request) => {
    const answer = await post(path, "application/json", JSON.stringify(request));
    checkAnswer(answer, path);
    expect(answer.status === 200 ? answer.text : "refused").toMatch(/^refused$|^\{\}$/);
  });

  it("lists executions whose labels, failures and reasons have NUL in them, and all that come after", async () => {
    const odd = "a\u0000b";
    const labels = { [odd]: odd, run: "nul" };
    await client.publish({
      source:
        'workflow: { id: nul, type: dag, nodes: [{ id: f, type: action, subtype: fail, params: { message: "${input.text}", type: "${input.text}" } }] }',
    });
    await client.publish({
      source:
        "workflow: { id: stays, type: dag, nodes: [{ id: w, type: action, subtype: wait, params: { signal: never } }] }",
    });
    await client.start({ workflowId: "nul", labels, input: { text: odd } });
    const { executionId } = await client.start({ workflowId: "stays", labels });
    await client.cancel(executionId, odd);
    await client.start({ workflowId: "echo", labels: { run: "nul" }, input: { [odd]: odd } });
    await expect
      .poll(async () => (await client.listPage({ labels: { run: "nul" } })).items.map(({ status }) => status).sort(), {
        timeout: 10_000,
      })
      .toEqual(["canceled", "failed", "failed"]);
  });

  it.each(streams.map((method) => [pathOf(method)]))("%s: random bytes into a stream", async (path) => {
    const bytes = randomBytes(random, 40);
    for (const type of ["application/connect+proto", "application/connect+json", "application/grpc-web+proto"]) {
      checkAnswer(await post(path, type, frame(bytes)), `${path} ${type}`);
    }
  });

  it("answers methods, types and encodings that there are none of", async () => {
    const path = pathOf(DefinitionService.method.getDefinition);
    for (const [target, type, headers] of [
      ["/heddle.definition.v1.DefinitionService/Nope", "application/json", {}],
      ["/no.such.Service/Get", "application/proto", {}],
      ["/%00%ff/../..", "application/json", {}],
      [path, "text/html", {}],
      [path, "application/grpc+nonsense", {}],
      [path, "application/json; charset=latin1", {}],
      [path, "application/json", { "content-encoding": "zstd" }],
      [path, "application/json", { "content-encoding": "gzip" }],
      [path, "application/json", { "connect-protocol-version": "99" }],
      [path, "application/json", { "connect-timeout-ms": "-1" }],
      [path, "application/json", { "connect-timeout-ms": "99999999999999999999" }],
      [path, "application/grpc-web+proto", { "grpc-timeout": "soon" }],
    ] as const) {
      const answer = await post(target, type, "{}", headers);
      checkAnswer(answer, `${target} ${type} ${JSON.stringify(headers)}`);
    }
  });

  it("refuses text that is not UTF-8, and headers that are too large", async () => {
    const path = pathOf(DefinitionService.method.publishDefinition);
    const invalid = Buffer.concat([Buffer.from('{"source":"'), Buffer.from([0xff, 0xc0, 0x80]), Buffer.from('"}')]);
    checkAnswer(await post(path, "application/json", invalid), "JSON with invalid UTF-8");
    const binary = Uint8Array.from([0x12, 0x03, 0xff, 0xc0, 0x80]);
    checkAnswer(await post(path, "application/proto", binary), "protobuf with invalid UTF-8");
    const large = await post(path, "application/json", "{}", { "x-large": "x".repeat(100_000) });
    expect(large.status).toBe(431);
  });

  it("closes connections that speak nothing that it knows", async () => {
    for (let round = 0; round < 5; round++) {
      const { hostname, port } = new URL(dev.url);
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.end(randomBytes(random, 300));
      socket.resume();
      await once(socket, "close");
      expect(socket.destroyed).toBe(true);
    }
  });
});

describe("definitions that are meant to hurt", () => {
  const bomb = `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).join("\n")}\nworkflow: *a30\n`;
  it.each([
    ["a bomb of aliases", bomb],
    ["10,000 brackets", "[".repeat(10_000)],
    ["10,000 levels of flow", `workflow: ${"{a: ".repeat(10_000)}1${"}".repeat(10_000)}`],
    ["10,000 levels of JSON", `{"workflow": ${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
    ["10,000 levels of indentation", Array.from({ length: 1_300 }, (_, n) => `${" ".repeat(n)}a:`).join("\n")],
    ["__proto__ as a field", "workflow:\n  __proto__: { polluted: yes }\n  id: x\n  type: dag\n  nodes: []\n"],
    ["__proto__ as an id", ECHO.replace("id: echo", "id: __proto__").replace("id: keys", "id: constructor")],
    ["a reference to itself", "workflow: &w { id: x, type: dag, nodes: [*w] }"],
    [
      "NUL in a text",
      'workflow: { id: nul, type: dag, name: "a\\0b", nodes: [{ id: a, type: action, subtype: log, params: { message: "\\0" } }] }',
    ],
    ["an expression of brackets", ECHO.replace("keys(input)", "(".repeat(4_000))],
    ["nothing but tabs", "\t".repeat(100_000)],
  ])("%s: an answer, and no defect", async (_, source) => {
    for (const method of [DefinitionService.method.validateDefinition, DefinitionService.method.publishDefinition]) {
      const answer = await post(pathOf(method), "application/json", JSON.stringify({ source }));
      checkAnswer(answer, answer.text.slice(0, 300));
    }
  });
});

it("hands names like __proto__ to expressions as plain data", async () => {
  const input = '{"__proto__":{"polluted":"yes"},"constructor":"mine","hasOwnProperty":1}';
  const body = `{"workflowId":"echo","input":${input},"wait":"20s"}`;
  const answer = await post(pathOf(ExecutionService.method.startExecution), "application/json", body);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.text).toContain('"status":"EXECUTION_STATUS_COMPLETED"');
  const { execution } = JSON.parse(answer.text) as { execution: { output: Record<string, unknown> } };
  expect(execution.output).toMatchObject({
    keys: expect.arrayContaining(["__proto__", "constructor", "hasOwnProperty"]),
    polluted: "clean",
    own: "yes",
    builtin: false,
    maker: "mine",
  });
  expect(JSON.stringify(execution.output["input"])).toContain('"__proto__":{"polluted":"yes"}');
});

it("still works after all of that, in the same process", async () => {
  expect(dev.child.exitCode).toBeNull();
  const { executionId } = await client.start({
    workflowId: "echo",
    input: JSON.parse('{"__proto__":{"polluted":1},"constructor":2}'),
  });
  expect(await client.result(executionId, { timeoutMs: 20_000 })).toMatchObject({ polluted: "clean", maker: 2 });
});
