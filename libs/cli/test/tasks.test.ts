import { expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { executionId } from "./sample.ts";
import { useFakeServer } from "./use-fake-server.ts";

const { call, lastRequest } = useFakeServer();

it("lists what people are asked, and names it where an execution waits for them", async () => {
  const task = `${executionId}/approve`;
  const listed = await call("tasks", "list", "--group", "support", "--status", "claimed", "--workflow", "support");
  expect(listed.stdout).toMatch(new RegExp(`${task} +Refund 5\\? +open +support, sales +3`));
  expect(lastRequest("list-tasks")).toMatchObject({ group: "support", status: 2, workflowId: "support", all: false });
  expect((await call("explain", executionId)).stdout).toContain(
    `people: Refund 5?  support, sales may answer; heddle tasks show ${task}`,
  );
  for (const command of [
    ["tasks", "list", "--all"],
    ["tasks", "show", task],
    ["explain", executionId],
  ]) {
    expect(JSON.parse((await call(...command, "--json")).stdout), command[1]).toBeTypeOf("object");
  }
});

it("claims, answers, gives away and comments on what people are asked", async () => {
  const task = `${executionId}/approve`;
  const shown = (await call("tasks", "show", task)).stdout;
  for (const text of [
    "Refund 5?  open",
    "asks        support, sales",
    '{"amount":5}',
    "2 of up to 3 that agree on approved",
  ])
    expect(shown).toContain(text);
  expect((await call("tasks", "claim", task, "--user", "ann")).stdout).toContain("claimed");
  expect(lastRequest("claim")).toMatchObject({ taskId: task, user: "ann" });
  await call("tasks", "reassign", task, "--user", "ann", "--to", "bob", "--group", "a", "--group", "b");
  expect(lastRequest("reassign")).toMatchObject({ assignee: "bob", groups: ["a", "b"] });
  expect((await call("tasks", "comment", task, "hurry", "--user", "ann")).stdout).toContain("ann: hurry");
  expect((await call("tasks", "release", task, "--user", "ann")).exitCode).toBe(EXIT.ok);
  const answer = ["--answer", '{"approved":true}', "--values", '{"amount":4}', "--request-id", "a"];
  const { stdout } = await call("tasks", "complete", task, "--user", "ann", ...answer);
  expect(stdout).toContain('ann: {"approved":true}');
  expect(stdout).toContain("amount: 5 -> 4");
  expect(lastRequest("complete")).toMatchObject({ requestId: "a", user: "ann" });
  const nobody = await call("tasks", "claim", task);
  expect(nobody.exitCode).toBe(EXIT.invalid);
  expect(nobody.stderr).toContain("say who you are with --user");
});
