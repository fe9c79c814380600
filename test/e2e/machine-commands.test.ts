import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const HEDDLE = fileURLToPath(new URL("../../libs/cli/bin/heddle.js", import.meta.url));
const UNKNOWN_ID = "01990f5e-0000-7000-8000-000000000000";

const FULFIL = `workflow:
  id: fulfil
  type: dag
  nodes:
    - { id: label, type: action, subtype: wait, params: { signal: labelled } }
    - { id: pack, type: action, subtype: transform, dependencies: [label], params: { value: "box of \${input.order}" } }
  output: { box: "\${pack.output}" }
`;
const ORDER = `workflow:
  id: order
  type: state_machine
  context: { total: 0, box: none }
  on_unexpected_event: refuse
  states:
    - name: open
      transitions:
        - { event: pay, target: packing, actions: { type: assign, params: { total: "\${event.data.amount}" } } }
        - { event: cancel, target: canceled }
    - name: packing
      invoke: { id: ship, workflow: fulfil, inputs: { order: "\${machine.key}" } }
      transitions:
        - { event: labelled, actions: { type: send, params: { event: labelled, to: { invocation: ship } } } }
        - { event: done.invoke.ship, target: sent, actions: { type: assign, params: { box: "\${event.data.box}" } } }
        - { after: 2d, target: canceled }
    - { name: sent, type: final, output: { box: "\${box}" } }
    - { name: canceled, type: final }
`;

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

describe("heddle machine", () => {
  let folder: string;
  let dev: TestDevProcess;

  const heddle = (...args: string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const env = { ...process.env, HEDDLE_ADDRESS: dev.url };
      execFile(process.execPath, [HEDDLE, ...args], { env }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      });
    });
  const machine = (...args: string[]): Promise<Ran> => heddle("machine", ...args);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await machine(...args, "--json")).stdout) as T;
  const create = async (...args: string[]): Promise<string> =>
    (await machine("create", "order", ...args)).stdout.trim();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-machines-"));
    await writeFile(join(folder, "fulfil.yaml"), FULFIL);
    await writeFile(join(folder, "order.yaml"), ORDER);
    dev = await startDev();
    await heddle("publish", join(folder, "fulfil.yaml"), join(folder, "order.yaml"));
  });
  afterAll(async () => {
    await disposeDev(dev);
    await rm(folder, { recursive: true });
  });

  it("creates one of a file, once for each key, and says where it stands", async () => {
    const first = await machine("create", join(folder, "order.yaml"), "--key", "A-1", "--context", '{"total":3}');
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[0-9a-f-]{36}\n$/) as string });
    expect(first.stderr).toContain("created, in open; heddle machine watch");
    const second = await machine("create", "order", "--key", "A-1");
    expect(second).toMatchObject({ code: 0, stdout: first.stdout });
    expect(second.stderr).toContain("it exists, in open");
    const shown = await machine("get", "order/A-1");
    expect(shown.stdout).toMatch(/^order v1 {2}active/);
    expect(shown.stdout).toMatch(/events +pay, cancel\n {2}context +{"box":"none","total":3}/);
  });

  it("sends events, and tells which lead on from where it stands", async () => {
    const id = await create("--label", "team=blue");
    const refused = await machine("send", id, "labelled");
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/is in open, .*expected there: pay, cancel \(EVENT_NOT_EXPECTED\)/);
    expect((await machine("send", id, "pay", "--data", '{"amount":5}')).stdout).toBe(`${id}  active  packing\n`);
    expect(await json("get", id)).toMatchObject({ context: { total: 5 }, configuration: ["packing"] });
    expect((await machine("get", id)).stdout).toMatch(/timer +in 2d0h\n {2}invoked +ship, a workflow: /);
    const { machines } = await json<{ machines: { machineId: string }[] }>("list", "--state", "packing");
    expect(machines.map(({ machineId }) => machineId)).toEqual([id]);
    expect((await machine("list", "--label", "team=blue")).stdout).toMatch(/order v1 +active +packing/);
    expect((await machine("list", "--label", "team=red")).stderr).toContain("no machine in namespace default fits");
    expect(await machine("delete", id, "--reason", "over")).toMatchObject({ code: 0, stdout: `${id}  deleted\n` });
    expect((await machine("list", "--status", "deleted")).stdout).toContain(id);
  });

  it("shows the machine and what it has invoked in one history, while it lives and after", async () => {
    const id = await create("--key", "A-2");
    const watching = machine("watch", id);
    await machine("send", id, "pay", "--data", '{"amount":5}');
    const executionId = await until(
      async () =>
        (await json<{ invocations: { startedId: string }[] }>("get", id)).invocations.find(
          ({ startedId }) => startedId !== "",
        )?.startedId,
    );
    await machine("send", id, "labelled");
    const watched = await watching;
    expect(watched.code).toBe(0);
    expect(watched.stdout).toMatch(/-packing \+sent/);
    const { stdout } = await machine("history", "order/A-2", "--with-executions");
    const parts = [
      /created +order v1 {2}A-2/,
      /transition +-open \+packing/,
      /invocation started +ship, a workflow {2}{"order":"A-2"}/,
      /execution started +fulfil v1 .* of ship/,
      /signal received +labelled .* of ship/,
      /node completed +pack +"box of A-2" {2}of ship/,
      /event +done\.invoke\.ship/,
      /finished +{"box":"box of A-2"}/,
    ];
    let from = 0;
    for (const part of parts) {
      const at = stdout.slice(from).search(part);
      expect(at, `${String(part)} after:\n${stdout.slice(0, from)}`).toBeGreaterThanOrEqual(0);
      from += at;
    }
    expect(stdout).toContain(`ship: heddle get ${executionId}`);
    expect((await heddle("get", executionId)).stdout).toContain(id);
    const { events, executions } = await json<{
      events: { seq: string }[];
      executions: Record<string, { seq: string }[]>;
    }>("history", id, "--with-executions");
    expect(events.map(({ seq }) => Number(seq))).toEqual(events.map((_, index) => index + 1));
    expect(executions[executionId]?.length).toBeGreaterThan(3);
    const late = await machine("send", id, "pay");
    expect(late.code).toBe(6);
    expect(late.stderr).toContain("it has finished (MACHINE_FINISHED)\nhint: `heddle machine get`");
  });

  it("lets events wait while it is suspended, and exits with 1 when it did not finish", async () => {
    const id = await create();
    expect((await machine("suspend", id, "--reason", "lunch")).stdout).toContain("suspended");
    const waiting = await machine("send", id, "cancel");
    expect(waiting.stderr).toContain(`cancel waits until the machine is resumed: heddle machine resume ${id}`);
    expect((await machine("get", id)).stdout).toMatch(/waiting +1 events/);
    await machine("resume", id);
    expect((await machine("watch", id)).code).toBe(0);
    expect((await machine("history", id)).stdout).toMatch(/suspended +lunch\n.*event waits +cancel/);
    const deleted = await create();
    await machine("delete", deleted);
    expect((await machine("watch", deleted)).code).toBe(1);
    const patient = await machine("watch", await create(), "--timeout", "200ms");
    expect(patient.code).toBe(5);
    expect(patient.stderr).toContain("has not ended within 200ms; it goes on (WAIT_TIMED_OUT)");
  });

  it("moves a machine to another version, and says before what would become of it", async () => {
    const id = await create();
    await writeFile(join(folder, "next.yaml"), ORDER.replace("name: open", "name: placed"));
    await heddle("publish", join(folder, "next.yaml"));
    const dry = await machine("migrate", id, "--to", "2", "--dry-run");
    expect(dry.code).toBe(6);
    expect(dry.stderr).toMatch(/in the way: state open is active .*\nsay which state takes its place: --state/);
    expect((await machine("migrate", id, "--to", "2")).stderr).toContain("MIGRATION_IMPOSSIBLE");
    const mapped = ["migrate", id, "--to", "2", "--state", "open=placed"];
    expect((await machine(...mapped, "--dry-run")).stdout).toBe(`${id}  would stand in placed of v2\n`);
    expect(await json("get", id)).toMatchObject({ version: 1 });
    expect((await machine(...mapped)).stdout).toBe(`${id}  stands in placed of v2\n`);
    expect(await json("get", id)).toMatchObject({ version: 2, configuration: ["placed"] });
  });

  it("draws what is published", async () => {
    const { stdout } = await heddle("graph", "order", "--workflow-version", "1", "--format", "dot");
    expect(stdout).toContain('"packing" -> "canceled" [label="after 2d"]');
    expect((await heddle("graph", "fulfil")).stdout).toMatch(/label\n +wait for labelled\n +→ pack/);
    expect(await heddle("graph", "nothing")).toMatchObject({ code: 3 });
  });

  it.each([
    ["no such machine", ["get", UNKNOWN_ID], 3, "MACHINE_NOT_FOUND"],
    ["no such key", ["get", "order/nobody"], 3, "MACHINE_NOT_FOUND"],
    ["no such definition", ["create", "nothing"], 3, "DEFINITION_NOT_FOUND"],
    ["a workflow of nodes", ["create", "fulfil"], 6, "NOT_A_STATE_MACHINE"],
    ["a context that is no object", ["create", "order", "--context", "[1]"], 2, "INPUT_NOT_AN_OBJECT"],
    ["a migration to nowhere", ["migrate", UNKNOWN_ID], 2, "USAGE"],
  ])("refuses %s with a code and a remedy", async (_what, args, code, reason) => {
    const ran = await machine(...args, "--json");
    expect(ran).toMatchObject({ code, stdout: "" });
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { reason } });
    const said = await machine(...args);
    expect(said.stderr).toMatch(/hint:|--help/);
  });
});

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it has not come to that");
}
