import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectWorker, type Harness, openLink, startScheduler, task } from "./harness.ts";

describe("the path of a task", () => {
  let scheduler: Harness;
  beforeEach(async () => {
    scheduler = await startScheduler({ recoveryWindowMs: 0 });
  });
  afterEach(() => scheduler.stop());

  it("goes to a worker, and its result to the owner, and both are acknowledged", async () => {
    const owner = openLink(scheduler.transport, { acknowledge: true });
    const worker = connectWorker(scheduler.transport);
    owner.schedule([task(1), task(2)]);
    const tasks = await worker.untilTasks(2);
    expect(tasks.map(({ taskId }) => taskId)).toEqual([task(1).taskId, task(2).taskId]);
    expect(tasks[0]?.input?.form.value).toBe('{"number":1}');
    worker.finish(tasks);
    const results = await owner.untilResults(2);
    expect(results.map(({ taskId, worker: by }) => [taskId, by])).toEqual([
      [task(1).taskId, "w1"],
      [task(2).taskId, "w1"],
    ]);
    await worker.until(() => worker.acknowledged() === 1n);
  });
});
