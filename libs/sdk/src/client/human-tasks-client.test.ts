import { fromJson } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { HumanTaskStatus } from "@heddle/proto/heddle/execution/v1/human_task_pb.js";
import {
  HumanTaskService,
  type CompleteHumanTaskRequest,
  type ListHumanTasksRequest,
} from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";
const at = new Date(1_700_000_000_000);
const value = (json: unknown) => fromJson(ValueSchema, json as never);
const task = { taskId: `${ID}/approve`, executionId: ID, nodeId: "approve", createdAt: timestampFromDate(at) };

it("answers once, however often it has to ask, and tells the task in plain data", async () => {
  const requests: CompleteHumanTaskRequest[] = [];
  const client = clientOf((router) =>
    router.service(HumanTaskService, {
      completeHumanTask(request) {
        requests.push(request);
        if (requests.length === 1)
          throw new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
        const { user: by, answer, values } = request;
        const changes = [{ path: "n", from: value(1), to: value(2) }];
        return {
          task: {
            ...task,
            status: HumanTaskStatus.COMPLETED,
            proposed: value({ n: 1 }),
            endedAt: timestampFromDate(at),
            answers: [{ by, answeredAt: timestampFromDate(at), answer, values, changes }],
          },
        };
      },
    }),
  );
  const answered = await client.tasks.complete(task.taskId, { user: "ann", answer: { ok: true }, values: { n: 2 } });
  expect(answered).toMatchObject({
    status: "completed",
    proposed: { n: 1 },
    createdAt: at,
    endedAt: at,
    answers: [{ by: "ann", at, answer: { ok: true }, values: { n: 2 }, changes: [{ path: "n", from: 1, to: 2 }] }],
  });
  expect(new Set(requests.map(({ requestId }) => requestId)).size).toBe(1);
  expect(requests[0]?.requestId).not.toBe("");
});

it("lists all pages of what waits, or of everything", async () => {
  const requests: ListHumanTasksRequest[] = [];
  const client = clientOf((router) =>
    router.service(HumanTaskService, {
      listHumanTasks(request) {
        requests.push(request);
        const page = { ...task, status: HumanTaskStatus.OPEN, groups: ["support"] };
        return request.pageToken === "" ? { tasks: [page], nextPageToken: "2" } : { tasks: [page] };
      },
    }),
  );
  const found = [];
  for await (const one of client.tasks.list({ group: "support", status: "claimed" })) found.push(one.status);
  for await (const one of client.tasks.list({ status: "all" })) found.push(one.status);
  expect(found).toEqual(["open", "open", "open", "open"]);
  expect(requests.map(({ namespace, group, status, all }) => [namespace, group, status, all])).toEqual([
    ["sales", "support", HumanTaskStatus.CLAIMED, false],
    ["sales", "support", HumanTaskStatus.CLAIMED, false],
    ["sales", "", HumanTaskStatus.UNSPECIFIED, true],
    ["sales", "", HumanTaskStatus.UNSPECIFIED, true],
  ]);
});
