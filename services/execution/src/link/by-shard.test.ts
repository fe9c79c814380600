import { create } from "@bufbuild/protobuf";
import { type Task, TaskSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { shardOf } from "@heddle/shards";
import fc from "fast-check";
import { expect, it } from "vitest";
import { byShard } from "./by-shard.ts";

it("gives each task to its shard once, in order, and an array of one shard as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("default", "billing", "team-a", "ns-7")), (namespaces) => {
      const tasks = namespaces.map((namespace, index) => create(TaskSchema, { taskId: String(index), namespace }));
      const parts = new Map<number, readonly Task[]>();
      byShard(tasks, (shard, part) => {
        expect(parts.has(shard)).toBe(false);
        parts.set(shard, part);
      });
      for (const [shard, part] of parts)
        expect(part).toEqual(tasks.filter((task) => shardOf(task.namespace) === shard));
      expect([...parts.values()].reduce((sum, part) => sum + part.length, 0)).toBe(tasks.length);
      if (parts.size === 1) expect([...parts.values()][0]).toBe(tasks);
    }),
  );
});
