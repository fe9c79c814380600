import { WaitReasonKind } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { describe, expect, it } from "vitest";
import { AGENT_DESCRIPTION, createSimulation, task, type Simulation } from "../../test/simulation.ts";
import { describeQueues } from "./describe.ts";
import { explainWait } from "./explain.ts";
import { executionIdOf } from "./task-id.ts";

function connected(limits?: Parameters<typeof createSimulation>[0]): Simulation {
  const simulation = createSimulation(limits);
  simulation.openLink();
  return simulation;
}

function explain(simulation: Simulation, taskId: string) {
  return explainWait(simulation.state, taskId, simulation.nowMs);
}

describe("why a task waits", () => {
  it("no worker offers it", () => {
    const simulation = connected();
    simulation.connect("w", { tools: ["other"] });
    simulation.schedule(task(0));
    expect(explain(simulation, task(0).taskId)).toEqual({
      taskId: task(0).taskId,
      running: false,
      rank: 1,
      reasons: [
        {
          kind: WaitReasonKind.NO_WORKER,
          message: "no connected worker of namespace default offers tool:echo; it runs as soon as one connects",
        },
      ],
    });
  });

  it("nobody has registered an agent that it does not describe, and who runs any agent is no help", () => {
    const simulation = connected();
    simulation.connect("any", { slots: 9, agents: ["*"] });
    const agent = { type: TaskType.AGENT, name: "my-agent" };
    simulation.schedule(task(0, agent), task(1, { ...agent, agent: AGENT_DESCRIPTION }));
    expect(explain(simulation, task(0).taskId)).toMatchObject({
      rank: 1,
      reasons: [
        {
          kind: WaitReasonKind.NO_WORKER,
          message:
            "no connected worker of namespace default offers the agent my-agent; the workers that run any agent only take those that a definition describes under `agents:` or in place; it runs as soon as one connects that registers the name",
        },
      ],
    });
    expect(explain(simulation, task(1).taskId)?.running).toBe(true);
  });

  it("nobody runs agents at all, described or not", () => {
    const simulation = connected();
    simulation.schedule(task(0, { type: TaskType.AGENT, name: "my-agent", agent: AGENT_DESCRIPTION }));
    expect(explain(simulation, task(0).taskId)?.reasons.map(({ message }) => message)).toEqual([
      "no connected worker of namespace default offers agent:my-agent; it runs as soon as one connects",
    ]);
  });

  it("every slot is in use", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 2, tools: ["echo", "other"] });
    simulation.connect("b", { slots: 9, tools: [["echo", 1]] });
    simulation.schedule(...[0, 1, 2, 3, 4].map((number) => task(number)));
    const explanation = explain(simulation, task(4).taskId);
    expect(explanation).toMatchObject({ running: false, rank: 2 });
    expect(explanation?.reasons).toEqual([
      {
        kind: WaitReasonKind.NO_FREE_SLOT,
        message:
          "all slots for tool:echo are in use: 3 tasks run on 3 slots of 2 workers; it runs when one of them ends or another worker connects",
      },
    ]);
  });

  it("workers may still name it, and nobody offers it either: the strongest first", () => {
    const simulation = createSimulation({ recoveryWindowMs: 1_000 });
    simulation.schedule(task(0));
    simulation.openLink();
    simulation.pass(400);
    const kinds = () => explain(simulation, task(0).taskId)?.reasons.map(({ kind }) => kind);
    expect(kinds()).toEqual([WaitReasonKind.NO_WORKER, WaitReasonKind.RECOVERY_WINDOW]);
    expect(explain(simulation, task(0).taskId)?.reasons[1]?.message).toContain("this ends in 600 ms");
    simulation.pass(700);
    expect(kinds()).toEqual([WaitReasonKind.NO_WORKER]);
  });

  it("is found by the execution too: of its first waiting task", () => {
    const simulation = connected();
    const { taskId } = task(0);
    const other = `${executionIdOf(taskId)}/other/1`;
    simulation.schedule(task(0), { ...task(0, { priority: 1 }), taskId: other });
    expect(explain(simulation, executionIdOf(taskId))?.taskId).toBe(other);
  });

  it("does not, when a worker has it; and is unknown when nobody knows it", () => {
    const simulation = connected();
    simulation.connect("w");
    simulation.schedule(task(0));
    expect(explain(simulation, task(0).taskId)).toEqual({
      taskId: task(0).taskId,
      running: true,
      reasons: [],
      rank: 0,
    });
    expect(explain(simulation, executionIdOf(task(0).taskId))?.running).toBe(true);
    expect(explain(simulation, task(1).taskId)).toBeUndefined();
  });

  it("ranks among the tasks that the same workers could run", () => {
    const simulation = connected();
    simulation.connect("w", { slots: 1, tools: ["echo", "other"] });
    simulation.connect("x", { slots: 1, tools: ["elsewhere"] });
    simulation.schedule(task(100));
    simulation.schedule(task(0), task(1, { name: "other", priority: 1 }), task(2), task(3, { priority: 9 }), task(4));
    simulation.schedule(task(5, { name: "elsewhere" }), task(6, { name: "elsewhere" }), task(7, { name: "nobody" }));
    expect([1, 0, 2, 4, 3, 6, 7].map((number) => explain(simulation, task(number).taskId)?.rank)).toEqual([
      1, 2, 3, 4, 5, 1, 1,
    ]);
  });
});

describe("the description of queues", () => {
  it("has what has tasks or is offered by name, by type and name", () => {
    const simulation = connected();
    simulation.connect("a", { slots: 4, tools: ["zip", ["echo", 1]] });
    simulation.connect("b", { slots: 2, tools: ["*"] });
    simulation.schedule(task(0), task(1), task(2, { name: "rare" }), task(3), task(4));
    const namespace = simulation.state.namespaces.get("default");
    if (namespace === undefined) throw new Error("the namespace is known");
    expect(describeQueues(namespace, { type: 0, name: "" })).toEqual([
      {
        type: TaskType.TOOL,
        name: "echo",
        waiting: 2,
        running: 2,
        freeSlots: 0,
        workers: 2,
        oldestScheduledAtMs: 1_003,
      },
      {
        type: TaskType.TOOL,
        name: "rare",
        waiting: 0,
        running: 1,
        freeSlots: 0,
        workers: 1,
        oldestScheduledAtMs: undefined,
      },
      {
        type: TaskType.TOOL,
        name: "zip",
        waiting: 0,
        running: 0,
        freeSlots: 3,
        workers: 2,
        oldestScheduledAtMs: undefined,
      },
    ]);
    expect(describeQueues(namespace, { type: TaskType.TOOL, name: "zip" })).toHaveLength(1);
    expect(describeQueues(namespace, { type: TaskType.AGENT, name: "" })).toEqual([]);
  });

  it("adds up the tasks of an agent that are described and those that are not, each worker once", () => {
    const simulation = connected();
    simulation.connect("any", { slots: 3, tools: [], agents: [["*", 2]] });
    simulation.connect("exact", { slots: 1, tools: [], agents: ["clerk"] });
    const clerk = { type: TaskType.AGENT, name: "clerk" };
    const describeClerk = () => {
      const namespace = simulation.state.namespaces.get("default");
      if (namespace === undefined) throw new Error("the namespace is known");
      return describeQueues(namespace, { type: 0, name: "" });
    };
    const subject = { type: TaskType.AGENT, name: "clerk" };
    const nothing = { ...subject, waiting: 0, running: 0, oldestScheduledAtMs: undefined };
    // Offered by name: both may have tasks of it.
    expect(describeClerk()).toEqual([{ ...nothing, freeSlots: 3, workers: 2 }]);
    // Nobody describes what there is: one of them may not have it, however free.
    simulation.schedule(task(0, clerk), task(1, clerk));
    const undescribed = { ...subject, waiting: 1, running: 1, freeSlots: 0, workers: 1, oldestScheduledAtMs: 1_001 };
    expect(describeClerk()).toEqual([undescribed]);
    simulation.schedule(task(2, { ...clerk, agent: AGENT_DESCRIPTION }));
    expect(describeClerk()).toEqual([{ ...undescribed, running: 2, freeSlots: 1, workers: 2 }]);
    simulation.schedule(...[3, 4, 5].map((number) => task(number, { ...clerk, agent: AGENT_DESCRIPTION })));
    expect(describeClerk()).toEqual([{ ...undescribed, waiting: 3, running: 3, workers: 2 }]);
  });
});
