import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { heddle, startHeddle } from "./run-heddle.ts";
import { executionId } from "./sample.ts";
import { useFakeServer } from "./use-fake-server.ts";
import { createVirtualTerminal } from "./virtual-terminal.ts";

describe("heddle with a server", () => {
  const used = useFakeServer();
  const { call, lastRequest } = used;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-cli-"));
    await writeFile(join(folder, "support.yaml"), "workflow: { id: support }\n");
    await writeFile(join(folder, "broken.yaml"), "workflow:\n  id: broken id\n");
    await writeFile(join(folder, "input.yaml"), "ticket: { id: 7 }\n");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("starts a workflow and prints the id only, for scripts", async () => {
    const { exitCode, stdout, stderr } = await call(
      "run",
      "support",
      "--input",
      '{"n":1}',
      "--label",
      "a=b",
      "--label",
      "c=",
      "--priority",
      "2",
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.ok, stdout: `${executionId}\n` });
    expect(stderr).toContain(`heddle watch ${executionId}`);
    expect(lastRequest("start")).toMatchObject({
      namespace: "default",
      workflowId: "support",
      input: { n: 1 },
      labels: { a: "b", c: "" },
      priority: 2,
    });
  });

  it("publishes a file and starts the version of that file", async () => {
    const { exitCode, stderr } = await call(
      "run",
      join(folder, "support.yaml"),
      "--input-file",
      join(folder, "input.yaml"),
    );
    expect(exitCode).toBe(EXIT.ok);
    expect(stderr).toContain("published support v3");
    expect(lastRequest("publish")).toMatchObject({ fileName: "support.yaml", skipActivation: false });
    expect(lastRequest("start")).toMatchObject({ workflowId: "support", version: 3, input: { ticket: { id: 7 } } });
  });

  it("creates, shows, lists, pauses and deletes schedules", async () => {
    const created = await call(
      "schedule",
      "create",
      "nightly",
      "--workflow",
      "report",
      "--cron",
      "0 2 * * *",
      "--time-zone",
      "Europe/Berlin",
      "--overlap",
      "cancel_other",
      "--catch-up",
      "1h",
      "--input",
      '{"n":1}',
    );
    expect(created).toMatchObject({ exitCode: EXIT.ok });
    expect(created.stdout).toContain("0 2 * * * Europe/Berlin");
    expect(lastRequest("create-schedule")).toMatchObject({
      schedule: {
        namespace: "default",
        scheduleId: "nightly",
        workflowId: "report",
        spec: { case: "cron", value: "0 2 * * *" },
        timeZone: "Europe/Berlin",
        overlap: 4,
        catchUpWindow: { seconds: 3600n },
        input: { n: 1 },
      },
    });
    const listed = await call("schedule", "list");
    expect(listed.stdout).toMatch(/nightly +report +0 2 \* \* \* Europe\/Berlin +2023-11-14T22:13:20Z +3 +1 +0/);
    expect(listed.stdout).toContain("report/hourly");
    expect((await call("schedule", "get", "nightly")).stdout).toContain("3 started, 1 skipped, 0 failed");
    expect((await call("schedule", "pause", "nightly")).stdout).toContain("nightly (paused)");
    expect((await call("schedule", "resume", "nightly")).stdout).not.toContain("paused");
    expect(JSON.parse((await call("schedule", "list", "--json")).stdout)).toMatchObject({ schedules: [{}, {}] });
    expect((await call("schedule", "delete", "nightly")).stdout).toBe("nightly  deleted\n");
    expect(lastRequest("delete-schedule")).toMatchObject({ namespace: "default", scheduleId: "nightly" });
  });

  it.each([
    ["no times", ["--workflow", "w"]],
    ["two kinds of times", ["--workflow", "w", "--every", "5m", "--cron", "0 2 * * *"]],
    ["a time without a zone", ["--workflow", "w", "--at", "2030-01-01T00:00:00"]],
    ["an unknown policy", ["--workflow", "w", "--every", "5m", "--overlap", "queue"]],
    ["no workflow", ["--every", "5m"]],
  ])("refuses a schedule with %s", async (_what, flags) => {
    expect((await call("schedule", "create", "s", ...flags)).exitCode).toBe(EXIT.invalid);
  });

  it("says when a request id was used before", async () => {
    expect((await call("run", "support", "--request-id", "again")).stderr).toContain(
      "the request id again was used before",
    );
  });

  it.each([
    ["completed", EXIT.ok],
    ["failed", EXIT.workflowFailed],
    ["canceled", EXIT.workflowFailed],
  ] as const)("waits for an execution that ends as %s and exits with %d", async (outcome, expected) => {
    used.server.finish(outcome);
    const { exitCode, stdout, stderr } = await call("run", "support", "--wait");
    expect(exitCode).toBe(expected);
    expect(stderr).toContain(`${outcome} after 900ms`);
    if (outcome === "completed") expect(JSON.parse(stdout)).toEqual({ answer: "refunded" });
    if (outcome === "failed") expect(stderr).toContain("http_error in node refund: 404 Not Found");
  });

  it("shows each event as a line where there is no terminal", async () => {
    const run = startHeddle(["run", "support", "--watch"], { address: used.server.url });
    await run.saw("wait started");
    used.server.finish("completed");
    expect(await run.exitCode).toBe(EXIT.ok);
    expect(run.stderr()).toMatch(/task failed +classify +attempt 1 .*http_error: 503/);
    expect(run.stderr()).toContain("execution completed");
    expect(JSON.parse(run.stdout())).toEqual({ answer: "refunded" });
  });

  it("shows the live tree on a terminal, and only the output on stdout", async () => {
    const terminal = createVirtualTerminal();
    const stdout = { text: "", write: (text: string) => void (stdout.text += text) };
    const run = startHeddle(["run", "support", "--watch"], { address: used.server.url, stderr: terminal, stdout });
    while (!terminal.lines().join("\n").includes("waits for signal"))
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(terminal.lines().join("\n")).toMatch(/↷ {3}answer {2}skipped: not chosen/);
    expect(terminal.cursorHidden()).toBe(true);
    used.server.finish("completed");
    expect(await run.exitCode).toBe(EXIT.ok);
    expect(terminal.cursorHidden()).toBe(false);
    expect(terminal.lines().filter((line) => line.startsWith("support v3"))).toHaveLength(1);
    expect(JSON.parse(stdout.text)).toEqual({ answer: "refunded" });
  });

  it("watches with JSON lines: each event, then the execution", async () => {
    const run = startHeddle(["watch", executionId, "--json"], { address: used.server.url });
    await run.saw("waitStarted");
    used.server.finish("failed");
    expect(await run.exitCode).toBe(EXIT.workflowFailed);
    const documents = run
      .stdout()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents).toHaveLength(11);
    expect(documents[0]).toMatchObject({ event: { seq: "1", executionStarted: { workflowId: "support" } } });
    expect(documents.at(-1)).toMatchObject({ execution: { status: "EXECUTION_STATUS_FAILED" } });
    expect(run.stderr()).toBe("");
  });

  it("waits with one JSON document", async () => {
    used.server.finish("completed");
    const { exitCode, stdout } = await call("run", "support", "--wait", "--json");
    expect(exitCode).toBe(EXIT.ok);
    expect(JSON.parse(stdout)).toMatchObject({
      executionId,
      status: "EXECUTION_STATUS_COMPLETED",
      output: { answer: "refunded" },
    });
  });

  it("gives up waiting after --timeout, and says that the execution goes on", async () => {
    const { exitCode, stderr } = await call("run", "support", "--wait", "--timeout", "50ms");
    expect(exitCode).toBe(EXIT.timeout);
    expect(stderr).toContain("has not ended within 50ms; it goes on (WAIT_TIMED_OUT)");
  });

  it.each([
    ["SIGINT", EXIT.interrupted],
    ["SIGTERM", EXIT.terminated],
  ] as const)("ends at %s with %d and lets the execution go on", async (by, expected) => {
    const run = startHeddle(["watch", executionId], { address: used.server.url });
    await run.saw("wait started");
    run.interrupt(by);
    expect(await run.exitCode).toBe(expected);
    expect(run.stderr()).toBe(`the execution goes on without you: heddle watch ${executionId}\n`);
  });

  it("gets an execution as a tree, and as JSON with all fields", async () => {
    used.server.finish("completed");
    const { stdout } = await call("get", executionId);
    expect(stdout).toContain(`support v3  completed  900ms  ${executionId}`);
    expect(stdout).toContain("  ○   refund\n");
    expect(stdout).toContain('"answer": "refunded"');
    const document = JSON.parse((await call("--json", "get", executionId)).stdout) as object;
    expect(document).toMatchObject({ requestId: "", nodes: [{ nodeId: "classify", attempt: 0 }, {}, {}, {}] });
  });

  it("lists what fits the filters", async () => {
    const { stdout, stderr } = await call(
      "list",
      "--workflow",
      "support",
      "--status",
      "running",
      "--label",
      "a=b",
      "--limit",
      "1",
    );
    expect(stdout).toMatch(/^EXECUTION .*\n01990f5e-0000-7000-8000-000000000001 {2}support v3 {2}running/);
    expect(stderr).toContain("there are more: --limit 5");
    expect(lastRequest("list")).toMatchObject({ workflowId: "support", status: 1, labels: { a: "b" }, pageSize: 1 });
    expect(JSON.parse((await call("list", "--json", "--limit", "1")).stdout)).toMatchObject({
      more: true,
      executions: [{ executionId }],
    });
  });

  it("prints the history over all pages", async () => {
    const { stdout } = await call("history", executionId);
    expect(stdout.trimEnd().split("\n")).toHaveLength(9);
    expect(stdout).toMatch(/^ {4}1 {6}0\.000s {2}execution started/);
    const { events, more } = JSON.parse((await call("history", executionId, "--json")).stdout) as {
      events: { seq: string }[];
      more: boolean;
    };
    expect(more).toBe(false);
    expect(events.map(({ seq }) => seq)).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    expect((await call("history", executionId, "--limit", "2")).stdout.trimEnd().split("\n")).toHaveLength(2);
    const cut = JSON.parse((await call("history", executionId, "--limit", "2", "--json")).stdout);
    expect(cut).toMatchObject({ events: [{ seq: "1" }, { seq: "2" }], more: true });
    expect(cut.events).toHaveLength(2);
  });

  it("shows workers, queues and why a task waits", async () => {
    expect((await call("workers")).stdout).toMatch(/w-1 +connected +3\/10 +7 +tool:http_request/);
    expect((await call("queue", "--type", "tool")).stdout).toMatch(/tool:scan +5 +0 +0 +none +-/);
    expect(lastRequest("queue")).toMatchObject({ type: 1 });
    const { stdout } = await call("explain", `${executionId}/a/1`);
    expect(stdout).toContain("no worker: no connected worker offers tool:scan; start one");
    expect(stdout).toContain("place in the queue: 2");
    for (const command of [["workers"], ["queue"], ["explain", "x"]]) {
      expect(JSON.parse((await call(...command, "--json")).stdout), command[0]).toBeTypeOf("object");
    }
  });

  it("publishes, and says what became of each file", async () => {
    const file = join(folder, "support.yaml");
    expect((await call("publish", file)).stdout).toBe("published support v3 (active)\n");
    expect((await call("publish", file, "--no-activate")).stdout).toBe("published support v3\n");
    expect(lastRequest("publish")).toMatchObject({ skipActivation: true });
  });

  it("shows what the server refuses in the file itself", async () => {
    const file = join(folder, "broken.yaml");
    const { exitCode, stderr } = await call("publish", file);
    expect(exitCode).toBe(EXIT.invalid);
    expect(stderr).toBe(
      `${file}:2:7: error HD105 bad-id: an id has no spaces\n  2 |   id: broken id\n    |       ^\nerror: broken.yaml has 1 error (DEFINITION_INVALID)\n`,
    );
    const { error } = JSON.parse((await call("publish", file, "--json")).stderr) as { error: object };
    expect(error).toMatchObject({
      kind: "invalid_argument",
      reason: "DEFINITION_INVALID",
      violations: [{ field: "broken.yaml:2:7" }],
    });
  });

  it.each([
    [["get", "01990f5e-0000-7000-8000-00000000ffff"], EXIT.notFound, "EXECUTION_NOT_FOUND", "`heddle list` shows"],
    [["run", "none"], EXIT.notFound, "DEFINITION_NOT_FOUND", "publish it first"],
    [["get", "not-an-id"], EXIT.invalid, "REQUEST_INVALID", "execution_id"],
    [["run", "no-such-file.yaml"], EXIT.notFound, "FILE_NOT_FOUND", "no-such-file.yaml"],
    [["run", "x", "--input", "[1]"], EXIT.invalid, "INPUT_NOT_AN_OBJECT", "give it a name"],
    [["run", "x", "--input", "{}", "--input-file", "y"], EXIT.invalid, "USAGE", "not both"],
  ])("%j exits with %d and says %s", async (argv, expected, reason, says) => {
    const { exitCode, stderr, stdout } = await call(...argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: expected, stdout: "" });
    expect(stderr).toContain(`(${reason})`);
    expect(stderr).toContain(says);
  });

  it("tells an ended execution from other refusals", async () => {
    used.server.finish("completed");
    const { exitCode, stderr } = await call("cancel", executionId);
    expect(exitCode).toBe(EXIT.refused);
    expect(stderr).toContain("hint: `heddle get` shows how it ended");
  });

  it("takes --json, --address and --namespace before and after the command", async () => {
    await heddle(["--address", used.server.url, "--namespace", "sales", "run", "support", "--json"]);
    expect(lastRequest("start")).toMatchObject({ namespace: "sales" });
    await heddle(["run", "support", "--address", used.server.url, "--namespace", "ops"]);
    expect(lastRequest("start")).toMatchObject({ namespace: "ops" });
  });
});

describe("heddle without a server", () => {
  it("says where it looked for one, and how to start it", async () => {
    const { exitCode, stderr } = await heddle(["list"], { address: "http://127.0.0.1:1" });
    expect(exitCode).toBe(EXIT.unavailable);
    expect(stderr).toContain("error: no server answers at http://127.0.0.1:1 (UNAVAILABLE)");
    expect(stderr).toContain("`heddle dev` starts one");
  });

  it.each([
    [["run"], "missing required argument 'workflow'"],
    [["lst"], "Did you mean list?"],
    [["list", "--limit", "0"], "use a whole number from 1 to"],
    [["list", "--status", "done"], "use one of running, suspended"],
    [["run", "x", "--label", "novalue"], "use key=value"],
    [["run", "x", "--timeout", "soon"], "use a duration such as"],
    [["run", "x", "--priority", "10"], "use a whole number from 0 to 9"],
    [["queue", "--type", "x"], "Allowed choices are tool, agent"],
    [["get"], "missing required argument"],
    [["get", "a", "b"], "too many arguments"],
  ])("%j is wrong usage: %s", async (argv, says) => {
    const { exitCode, stderr, stdout } = await heddle(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.invalid, stdout: "" });
    expect(stderr).toContain(says);
  });

  it("says what is wrong as JSON with --json", async () => {
    const { stderr } = await heddle(["list", "--limit", "0", "--json"]);
    const { error } = JSON.parse(stderr) as { error: { reason: string; message: string } };
    expect(error.reason).toBe("USAGE");
    expect(error.message).toContain("use a whole number");
    expect(error.message).not.toContain("error:");
  });

  it("shows help without loading anything, and exits with 0", async () => {
    const { exitCode, stdout } = await heddle(["--help"]);
    expect(exitCode).toBe(EXIT.ok);
    expect(stdout).toContain("Exit codes:");
  });
});
