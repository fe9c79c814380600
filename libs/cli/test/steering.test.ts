import { expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { executionId } from "./sample.ts";
import { useFakeServer } from "./use-fake-server.ts";

const { call, lastRequest } = useFakeServer();

it("runs an execution again, and says what it keeps", async () => {
  const { exitCode, stdout, stderr } = await call("rerun", executionId, "--from", "answer", "--from", "refund");
  expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.ok, stdout: `${executionId}\n` });
  expect(stderr).toContain("runs again from answer, refund; keeps 1 of 4 nodes");
  expect(lastRequest("rerun")).toMatchObject({ executionId, fromNodeIds: ["answer", "refund"], fromFailed: false });
  await call("rerun", executionId, "--failed", "--request-id", "r");
  expect(lastRequest("rerun")).toMatchObject({ fromNodeIds: [], fromFailed: true, requestId: "r" });
});

it("forks with another input, and refuses a fork that differs in nothing", async () => {
  const { exitCode } = await call("fork", executionId, "--input", '{"n":2}');
  expect(exitCode).toBe(EXIT.ok);
  expect(lastRequest("rerun")).toMatchObject({ input: { n: 2 }, fromChanged: true, fromNodeIds: [] });
  await call("fork", executionId, "--workflow-version", "2", "--from", "answer");
  expect(lastRequest("rerun")).toMatchObject({ version: 2, fromChanged: false, fromNodeIds: ["answer"] });
  const refused = await call("fork", executionId);
  expect(refused.exitCode).toBe(EXIT.invalid);
  expect(refused.stderr).toContain("differs in its input or its version");
});

it("resets nodes", async () => {
  expect((await call("reset", executionId, "--from", "answer", "--reason", "why")).exitCode).toBe(EXIT.ok);
  expect(lastRequest("reset")).toMatchObject({ executionId, fromNodeIds: ["answer"], reason: "why" });
  expect((await call("reset", executionId)).exitCode).toBe(EXIT.invalid);
});

it("says what a rerun, a fork and a reset would do, and follows nothing then", async () => {
  const rerun = await call("rerun", executionId, "--from", "answer", "--dry-run");
  expect(rerun.exitCode).toBe(EXIT.ok);
  expect(rerun.stdout).toMatch(/^answer +completed +run at once +named$/m);
  expect(rerun.stdout).toContain("1 of 2 nodes run again");
  expect(rerun.stderr).toContain("nothing has changed");
  expect(lastRequest("rerun")).toMatchObject({ executionId, fromNodeIds: ["answer"], dryRun: true });
  const fork = await call("fork", executionId, "--workflow-version", "2", "--dry-run", "--json");
  expect(JSON.parse(fork.stdout)).toMatchObject({ nodes: [{ reason: "RUN_REASON_UNSPECIFIED" }, {}] });
  expect((await call("reset", executionId, "--from", "answer", "--dry-run")).stdout).toContain("named");
  expect(lastRequest("reset")).toMatchObject({ fromNodeIds: ["answer"], dryRun: true });
  expect((await call("rerun", executionId, "--dry-run", "--wait")).exitCode).toBe(EXIT.invalid);
  expect((await call("rerun", executionId.replace("0", "1"), "--dry-run")).exitCode).toBe(EXIT.notFound);
});

it("suspends, resumes, signals and cancels", async () => {
  expect((await call("suspend", executionId, "--reason", "deploy")).stdout).toBe(`${executionId}  suspended\n`);
  expect((await call("resume", executionId)).stdout).toBe(`${executionId}  running\n`);
  await call("signal", executionId, "approved", "--payload", '{"by":"Ada"}', "--request-id", "s1");
  expect((await call("cancel", executionId)).stdout).toBe(`${executionId}  canceled\n`);
  expect(lastRequest("suspend")).toMatchObject({ reason: "deploy" });
  expect(lastRequest("signal")).toMatchObject({
    name: "approved",
    requestId: "s1",
    payload: { kind: { case: "structValue" } },
  });
});

it("names an execution by its business key", async () => {
  const target = { executionId: "", workflowKey: "order-17", namespace: "sales" };
  for (const name of ["suspend", "resume", "cancel"]) {
    expect((await call(name, "key:order-17", "--namespace", "sales")).exitCode, name).toBe(EXIT.ok);
    expect(lastRequest(name), name).toMatchObject(target);
  }
  await call("signal", "key:order-17", "approved", "--key", "k", "--namespace", "sales");
  expect(lastRequest("signal")).toMatchObject({ ...target, name: "approved", key: "k" });
  expect((await call("get", "key:order-17")).stdout).toContain("classify");
});

it("sends a signal with a start", async () => {
  await call("run", "support", "--key", "order-17", "--signal", "paid", "--signal-payload", '{"n":1}');
  expect(lastRequest("start")).toMatchObject({
    workflowKey: "order-17",
    signal: { name: "paid", key: "", payload: { kind: { case: "structValue" } } },
  });
  expect((await call("run", "support", "--signal-payload", "1")).exitCode).toBe(EXIT.invalid);
});
