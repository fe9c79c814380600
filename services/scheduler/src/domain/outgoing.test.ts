import { describe, expect, it } from "vitest";
import { createSimulation, task } from "../../test/simulation.ts";
import { cancelTasks } from "./links.ts";
import type { WorkerOutbox } from "./model.ts";
import { takeWorkerFrames } from "./outgoing.ts";

describe("frames to a worker", () => {
  it.each([
    ["items", { frameMaxItems: 4 }, 10, [4, 4, 2]],
    ["characters of payload", { framePayloadChars: 250 }, 100, [2, 2, 2, 2, 2]],
    ["an item that is larger than a frame by itself", { framePayloadChars: 50 }, 100, Array(10).fill(1)],
  ])("keep their bound: %s", (_what, limits, chars, sizes) => {
    const simulation = createSimulation(limits);
    simulation.openLink();
    const { outbox } = withoutReading(simulation, 10, chars);
    const frames = takeWorkerFrames(outbox, simulation.state.limits);
    expect(frames.map(({ frame }) => (frame.case === "tasks" ? frame.value.tasks.length : frame.case))).toEqual(sizes);
    expect(takeWorkerFrames(outbox, simulation.state.limits)).toEqual([]);
  });

  it("have no task that was canceled before they were sent", () => {
    const simulation = createSimulation();
    simulation.openLink();
    const { outbox } = withoutReading(simulation, 3, 10);
    cancelTasks(simulation.state, [task(1).taskId]);
    const [cancel, tasks] = takeWorkerFrames(outbox, simulation.state.limits);
    expect(cancel?.frame).toMatchObject({ case: "cancel", value: { taskIds: [task(1).taskId] } });
    expect(tasks?.frame.case === "tasks" && tasks.frame.value.tasks.map(({ taskId }) => taskId)).toEqual([
      task(0).taskId,
      task(2).taskId,
    ]);
  });
});

/** Delivers tasks into the worker's box, which nobody reads. */
function withoutReading(simulation: ReturnType<typeof createSimulation>, count: number, chars: number) {
  simulation.connect("w", { slots: 1_000 });
  const outbox = simulation.worker("w").session?.outbox as WorkerOutbox;
  const input = {
    $typeName: "heddle.common.v1.Payload" as const,
    form: { case: "json" as const, value: "x".repeat(chars) },
  };
  const tasks = Array.from({ length: count }, (_, number) => ({ ...task(number), input }));
  simulation.withoutReading("w", () => simulation.schedule(...tasks));
  return { outbox };
}
