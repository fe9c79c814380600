import { create } from "@bufbuild/protobuf";
import { TaskSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { shardOf } from "@heddle/shards";
import { expect, it } from "vitest";
import { createOpenTasks } from "./open-tasks.ts";

const task = (taskId: string, namespace: string) => create(TaskSchema, { taskId, namespace });
/** Two namespaces of different shards. */
const [ONE, OTHER] = ["default", "billing"] as const;

it("gives the tasks of one partition and shard only", () => {
  const open = createOpenTasks();
  open.add(1, task("a", ONE));
  open.add(1, task("b", OTHER));
  open.add(2, task("c", ONE));
  const idsOf = (partition: number, namespace: string) =>
    [...open.of(partition, shardOf(namespace))].map(({ taskId }) => taskId);
  expect([idsOf(1, ONE), idsOf(1, OTHER), idsOf(2, ONE), idsOf(2, OTHER)]).toEqual([["a"], ["b"], ["c"], []]);
  expect(open.size).toBe(3);
});

it("finds a task without being told its namespace, once", () => {
  const open = createOpenTasks();
  open.add(1, task("a", ONE));
  open.add(1, task("b", OTHER));
  open.setRunning(1, "b", { worker: "w", startedAt: 1 });
  expect([open.has(1, "b"), open.has(2, "b")]).toEqual([true, false]);
  expect(open.remove(1, "b")?.namespace).toBe(OTHER);
  expect([open.remove(1, "b"), open.has(1, "b"), open.runningOn("b"), open.size]).toEqual([
    undefined,
    false,
    undefined,
    1,
  ]);
});

it("keeps nothing of a task that is no longer open", () => {
  const open = createOpenTasks();
  open.add(1, task("a", ONE));
  open.setRunning(1, "a", { worker: "w", startedAt: 1 });
  expect(open.runningOn("a")?.worker).toBe("w");
  open.remove(1, "a");
  open.setRunning(1, "a", { worker: "late", startedAt: 1 });
  expect(open.runningOn("a")).toBeUndefined();
});

it("counts a task that is added again once, and forgets all of a partition", () => {
  const open = createOpenTasks();
  open.add(1, task("a", ONE));
  open.add(1, task("a", ONE));
  open.add(1, task("b", OTHER));
  open.setRunning(1, "a", { worker: "w", startedAt: 1 });
  expect(open.size).toBe(2);
  open.dropPartition(1);
  expect([open.size, open.runningOn("a"), open.has(1, "b")]).toEqual([0, undefined, false]);
});
