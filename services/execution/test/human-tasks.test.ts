import { fromJson, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { DomainError } from "@heddle/errors";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const APPROVAL = `
workflow:
  id: approval
  type: dag
  nodes:
    - id: approve
      type: human
      title: "Refund \${input.amount}?"
      groups: "\${input.groups}"
      priority: 3
      form:
        type: object
        properties: { approved: { type: boolean }, note: { type: string, maxLength: 10 } }
        required: [approved]
        additionalProperties: false
      data: "\${input}"
      proposed: { amount: "\${input.amount}", to: ann }
      deadline: "\${input.deadline ?? '1h'}"
      escalation: [{ assignee: boss, deadline: "\${input.deadline ?? '1h'}" }]
      default: { approved: false }
  output: "\${approve.output}"
`;
const LOOP = `
workflow:
  id: again
  type: dag
  nodes:
    - id: ask
      type: control
      subtype: loop
      until: "\${question.output.answer == 'stop'}"
      nodes: [{ id: question, type: human, title: "Turn \${loop.index}", groups: [crew] }]
`;
const VOTE = `
workflow:
  id: vote
  type: dag
  nodes:
    - { id: vote, type: human, title: Yes?, groups: [board], quorum: { of: 3, rule: majority, field: yes } }
  output: "\${vote.output.decision}"
`;

let suite: ExecutionSuite;
beforeEach(async () => {
  suite = await startExecutionSuite();
  for (const source of [APPROVAL, LOOP, VOTE]) suite.publish(source);
});
afterEach(() => suite.stop());

const people = () => createRpcClient(HumanTaskService, suite.transport);
const start = async (workflowId: string, input = {}): Promise<string> =>
  (await suite.client.startExecution({ workflowId, input })).execution!.executionId;
const value = (json: unknown) => fromJson(ValueSchema, json as never);
const json = (message: Value | undefined) => (message === undefined ? undefined : toJson(ValueSchema, message));
const read = async (executionId: string) => (await suite.client.getExecution({ executionId })).execution!;
const refusal = (call: Promise<unknown>): Promise<DomainError> =>
  call.then(
    () => expect.fail("it was not refused"),
    (error: DomainError) => error,
  );
/** Ids of the tasks that a filter finds, once they are what they should be: lists are behind by a flush. */
async function expectListed(filter: Parameters<ReturnType<typeof people>["listHumanTasks"]>[0], ids: string[]) {
  await expect
    .poll(async () => (await people().listHumanTasks(filter)).tasks.map(({ taskId }) => taskId), { timeout: 5_000 })
    .toEqual(ids);
}

describe("human tasks", () => {
  it("are listed, claimed, commented on, mended and answered; who is later is told who won", async () => {
    const id = await start("approval", { amount: 5, groups: ["support", "sales"] });
    const taskId = `${id}/approve`;
    const { task } = await people().getHumanTask({ taskId });
    expect(task).toMatchObject({
      executionId: id,
      nodeId: "approve",
      workflowId: "approval",
      status: HumanTaskStatus.OPEN,
      title: "Refund 5?",
      groups: ["support", "sales"],
      priority: 3,
      form: { required: ["approved"] },
    });
    expect(json(task?.data)).toEqual({ amount: 5, groups: ["support", "sales"] });
    expect(task?.dueAt).toBeDefined();
    await expectListed({ group: "sales" }, [taskId]);
    await expectListed({ group: "others" }, []);
    await expectListed({ workflowId: "vote" }, []);

    const claimed = await people().claimHumanTask({ taskId, user: "bob", requestId: "c" });
    expect(claimed.task).toMatchObject({ status: HumanTaskStatus.CLAIMED, assignee: "bob" });
    await people().claimHumanTask({ taskId, user: "bob", requestId: "c" });
    expect(await refusal(people().claimHumanTask({ taskId, user: "ann" }))).toMatchObject({
      reason: "HUMAN_TASK_HELD",
      metadata: { assignee: "bob" },
    });
    await expectListed({ assignee: "bob", status: HumanTaskStatus.CLAIMED, group: "sales" }, [taskId]);
    await people().commentOnHumanTask({ taskId, user: "ann", text: "hurry" });

    const wrong = await refusal(
      people().completeHumanTask({ taskId, user: "bob", answer: value({ note: "far too long a note", more: 1 }) }),
    );
    expect(wrong).toMatchObject({ kind: "invalid_argument", reason: "ANSWER_INVALID" });
    expect(wrong.violations).toEqual([
      { field: "answer", description: "must have required property 'approved'" },
      { field: "answer", description: "must not have the field more" },
      { field: "answer.note", description: "must NOT have more than 10 characters" },
    ]);

    const answer = { taskId, user: "bob", answer: value({ approved: true }), values: value({ amount: 4, to: "ann" }) };
    const answered = await people().completeHumanTask({ ...answer, requestId: "a" });
    expect(answered.task).toMatchObject({
      status: HumanTaskStatus.COMPLETED,
      answers: [{ by: "bob", changes: [{ path: "amount" }] }],
      comments: [{ by: "ann", text: "hurry" }],
    });
    await people().completeHumanTask({ ...answer, requestId: "a" });
    expect(await refusal(people().completeHumanTask({ ...answer, user: "ann" }))).toMatchObject({
      kind: "failed_precondition",
      reason: "HUMAN_TASK_CLOSED",
      metadata: { answered_by: "bob" },
    });
    const execution = await read(id);
    expect(execution.status).toBe(ExecutionStatus.COMPLETED);
    expect(json(execution.output)).toMatchObject({
      answer: { approved: true },
      by: "bob",
      expired: false,
      proposed: { amount: 5, to: "ann" },
      values: { amount: 4, to: "ann" },
      changes: [{ path: "amount", from: 5, to: 4 }],
    });
    await expectListed({}, []);
    await expectListed({ all: true }, [taskId]);
    await expectListed({ status: HumanTaskStatus.COMPLETED, executionId: id }, [taskId]);
    expect((await refusal(people().getHumanTask({ taskId: `${id}/other` }))).reason).toBe("HUMAN_TASK_NOT_FOUND");
    expect((await refusal(people().getHumanTask({ taskId: "nonsense" }))).reason).toBe("HUMAN_TASK_NOT_FOUND");
  });

  it("survive a crash at any time, with their claims, comments and request ids", async () => {
    const id = await start("approval", { amount: 1, groups: [] });
    const taskId = `${id}/approve`;
    await people().claimHumanTask({ taskId, user: "bob", requestId: "c" });
    await people().commentOnHumanTask({ taskId, user: "bob", text: "one" });
    // Committed, and most likely not projected yet: the journal alone has it.
    await suite.crash();
    expect((await people().getHumanTask({ taskId })).task).toMatchObject({
      status: HumanTaskStatus.CLAIMED,
      assignee: "bob",
      comments: [{ text: "one" }],
    });
    await expectListed({ assignee: "bob" }, [taskId]);
    const answer = { taskId, user: "bob", requestId: "a", answer: value({ approved: true }) };
    await people().completeHumanTask(answer);
    await suite.crash();
    // The answer was lost on its way: the same request again is the same answer.
    expect((await people().completeHumanTask(answer)).task?.answers).toHaveLength(1);
    await expectListed({ all: true }, [taskId]);
    await expectListed({}, []);
    expect((await read(id)).status).toBe(ExecutionStatus.COMPLETED);
  });

  it("escalate when a deadline passes, also one that passes while nothing runs, and end with the default", async () => {
    const id = await start("approval", { amount: 1, groups: ["g"], deadline: "300ms" });
    const taskId = `${id}/approve`;
    await people().claimHumanTask({ taskId, user: "bob" });
    await suite.crash();
    await expect
      .poll(async () => (await people().getHumanTask({ taskId })).task?.escalations, { timeout: 5_000 })
      .toBe(1);
    await expect.poll(async () => (await read(id)).status, { timeout: 5_000 }).toBe(ExecutionStatus.COMPLETED);
    expect(json((await read(id)).output)).toMatchObject({ answer: { approved: false }, by: null, expired: true });
    expect((await people().getHumanTask({ taskId })).task).toMatchObject({ status: HumanTaskStatus.EXPIRED });
    await expectListed({ status: HumanTaskStatus.EXPIRED }, [taskId]);
  });

  it("are withdrawn when their execution is canceled", async () => {
    const id = await start("approval", { amount: 1, groups: [] });
    await expectListed({}, [`${id}/approve`]);
    await suite.client.cancelExecution({ executionId: id, reason: "enough" });
    await expectListed({}, []);
    await expectListed({ status: HumanTaskStatus.CANCELED }, [`${id}/approve`]);
  });

  it("of a loop have an id for each turn; those that are long past are still told", async () => {
    const id = await start("again");
    const named = (turn: number) => `${id}/question${turn === 0 ? "" : `/${turn}`}`;
    for (let turn = 0; turn < 13; turn++) {
      await people().completeHumanTask({ taskId: named(turn), user: "ann", answer: value("go on") });
      if (turn < 3) await expectListed({}, [named(turn + 1)]);
    }
    await expectListed({}, [named(13)]);
    expect((await people().getHumanTask({ taskId: named(0) })).task).toMatchObject({
      title: "Turn 0",
      status: HumanTaskStatus.COMPLETED,
      answers: [{ by: "ann" }],
    });
    expect((await refusal(people().completeHumanTask({ taskId: named(5), user: "bob" }))).reason).toBe(
      "HUMAN_TASK_CLOSED",
    );
    await people().completeHumanTask({ taskId: named(13), user: "ann", answer: value("stop") });
    await expect.poll(async () => (await read(id)).status).toBe(ExecutionStatus.COMPLETED);
    await expectListed({}, []);
  });

  it("of several people decide by what these agree on", async () => {
    const id = await start("vote");
    const taskId = `${id}/vote`;
    expect((await refusal(people().claimHumanTask({ taskId, user: "ann" }))).reason).toBe("HUMAN_TASK_NEEDS_SEVERAL");
    const votes = { ann: true, bob: false, eve: true };
    for (const [user, yes] of Object.entries(votes)) {
      await people().completeHumanTask({ taskId, user, answer: value({ yes }) });
    }
    await expect.poll(async () => json((await read(id)).output)).toBe(true);
  });

  it("go on behind a page whose last task is deleted meanwhile", async () => {
    const executions: string[] = [];
    for (let n = 0; n < 3; n++) executions.push(await start("approval", { amount: n, groups: ["gone"] }));
    const ids = executions.map((id) => `${id}/approve`);
    await expectListed({ group: "gone" }, ids);
    const first = await people().listHumanTasks({ group: "gone", pageSize: 1 });
    expect(first.tasks.map(({ taskId }) => taskId)).toEqual([ids[0]]);
    await suite.client.cancelExecution({ executionId: executions[0]! });
    await suite.client.deleteExecution({ executionId: executions[0]! });
    const { nextPageToken: pageToken } = first;
    const next = await people().listHumanTasks({ group: "gone", pageSize: 2, pageToken });
    expect(next.tasks.map(({ taskId }) => taskId)).toEqual(ids.slice(1));
  });

  it("come page by page, by priority and age", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(`${await start("approval", { amount: n, groups: ["page"] })}/approve`);
    await expectListed({ group: "page" }, ids);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await people().listHumanTasks({ group: "page", pageSize: 2, pageToken });
      seen.push(...page.tasks.map(({ taskId }) => taskId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(seen).toEqual(ids);
  });
});
