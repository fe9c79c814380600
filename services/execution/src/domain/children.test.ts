import type { ChildObligation } from "@heddle/engine";
import { DomainError } from "@heddle/errors";
import { createLogger } from "@heddle/telemetry";
import { describe, expect, it } from "vitest";
import type { Execution } from "./aggregate.ts";
import { createChildren, type ChildrenOptions } from "./children.ts";

const PARENT = "parent";
const CHILD: ChildObligation = {
  nodeId: "node",
  childId: "child",
  workflowId: "inner",
  input: {},
  priority: 5,
  depth: 1,
};

function parentThat(status: "waiting" | "canceled"): Execution {
  return {
    plan: { indices: new Map([["node", 0]]) },
    state: { namespace: "default", labels: {}, nodes: [{ status, childId: "child" }] },
  } as unknown as Execution;
}

describe("a parent that ends while its child's plan is fetched", () => {
  /** Everything that the runtime was told, in order; `start` is what becomes of the child's start. */
  function startDuring(start: () => Promise<unknown>): { told: string[]; finish: () => Promise<void> } {
    const told: string[] = [];
    const plan = Promise.withResolvers<never>();
    let parent = parentThat("waiting");
    const runtime = {
      read: () => Promise.resolve(parent),
      submit: async (id: string, { type }: { type: string }) => {
        told.push(`${type} ${id}`);
        return await start();
      },
      submitAll: (items: readonly { id: string; command: { type: string } }[]) =>
        told.push(...items.map(({ id, command }) => `${command.type} ${id}`)),
    };
    const children = createChildren({
      runtime: () => runtime,
      plans: { resolve: () => plan.promise },
      hasMoved: (error: unknown) => error instanceof DomainError && error.reason === "PARTITION_NOT_OWNED",
      logger: createLogger({ name: "test", level: "silent" }),
    } as unknown as ChildrenOptions);
    children.start(PARENT, CHILD);
    return {
      told,
      async finish() {
        await expect.poll(() => told).toEqual([]);
        parent = parentThat("canceled");
        children.cancel(PARENT, CHILD);
        plan.resolve({ plan: { document: { workflowId: "inner" } }, version: 1 } as never);
        await expect.poll(() => told.at(-1)).toBe("cancel child");
        await expect.poll(() => told.length).toBe(3);
        children.stop();
      },
    };
  }

  it("has it canceled once it is there", async () => {
    const { told, finish } = startDuring(() => Promise.resolve());
    await finish();
    expect(told).toEqual(["cancel child", "start child", "cancel child"]);
  });

  it("has it canceled also when nobody knows whether it is there", async () => {
    const { told, finish } = startDuring(() =>
      Promise.reject(
        new DomainError({ kind: "unavailable", reason: "UNAVAILABLE", message: "the outcome is unknown" }),
      ),
    );
    await finish();
    expect(told).toEqual(["cancel child", "start child", "cancel child"]);
  });
});

describe("while the database is away", () => {
  const away = new DomainError({ kind: "unavailable", reason: "DEPENDENCY_UNAVAILABLE", message: "away" });
  const started = new DomainError({ kind: "already_exists", reason: "EXECUTION_ALREADY_STARTED", message: "is there" });
  const ended = {
    state: { status: "completed", output: 7, endedAt: 1, parent: { executionId: PARENT, nodeId: "node" } },
  };

  /** A runtime that refuses the first reads of one execution. */
  function createWith(refusesReadsOf: string, executions: Record<string, unknown>) {
    const told: string[] = [];
    let refusals = 2;
    const runtime = {
      read: (id: string) =>
        id === refusesReadsOf && refusals-- > 0 ? Promise.reject(away) : Promise.resolve(executions[id]),
      submit: () => Promise.reject(started),
      submitAll: (items: readonly { id: string; command: { type: string } }[]) =>
        told.push(...items.map(({ id, command }) => `${command.type} ${id}`)),
    };
    const children = createChildren({
      runtime: () => runtime,
      plans: { resolve: () => Promise.resolve({ plan: { document: { workflowId: "inner" } }, version: 1 }) },
      hasMoved: (error: unknown) => error instanceof DomainError && error.reason === "PARTITION_NOT_OWNED",
      logger: createLogger({ name: "test", level: "silent" }),
    } as unknown as ChildrenOptions);
    return { children, told };
  }

  it("a child that is there already is looked at again, and its parent does not fail", async () => {
    const { children, told } = createWith("child", { [PARENT]: parentThat("waiting"), child: ended });
    children.start(PARENT, CHILD);
    await expect.poll(() => told).toEqual([`complete_child ${PARENT}`]);
    children.stop();
  });

  it("the parent of a child that is recovered is looked at again, and the orphan ends", async () => {
    const { children, told } = createWith(PARENT, { [PARENT]: endedParent({}) });
    children.adopt("child", orphan({}));
    await expect.poll(() => told).toEqual(["cancel child"]);
    children.stop();
  });
});

describe("a child whose parent has ended", () => {
  const createWith = (parent: Execution) => {
    const told: string[] = [];
    const runtime = {
      read: () => Promise.resolve(parent),
      submit: () => Promise.reject(new Error("nothing is to start")),
      submitAll: (items: readonly { id: string; command: { type: string } }[]) =>
        told.push(...items.map(({ id, command }) => `${command.type} ${id}`)),
    };
    const children = createChildren({
      runtime: () => runtime,
      hasMoved: () => false,
      logger: createLogger({ name: "test", level: "silent" }),
    } as unknown as ChildrenOptions);
    return { children, told };
  };

  it("ends at once where the definition says so", async () => {
    const { children, told } = createWith(endedParent({ onParentClose: "terminate" }));
    children.adopt("child", orphan({}));
    await expect.poll(() => told).toEqual(["terminate child"]);
    children.start(PARENT, { ...CHILD, onParentClose: "terminate" });
    await expect.poll(() => told).toEqual(["terminate child", "terminate child"]);
    children.stop();
  });

  it("goes on if it outlives its parent; another one that is asked of the same runtime does not", async () => {
    const { children, told } = createWith(endedParent({ onParentClose: "leave" }));
    children.adopt("left", orphan({ outlives: true }));
    children.start(PARENT, { ...CHILD, childId: "left-too", onParentClose: "leave" });
    children.start(PARENT, CHILD);
    await expect.poll(() => told).toEqual(["cancel child"]);
    children.stop();
  });
});

function endedParent(definition: object): Execution {
  return {
    plan: { indices: new Map([["node", 0]]), nodes: [{ definition: { kind: "sub_workflow", ...definition } }] },
    state: { namespace: "default", labels: {}, endedAt: 1, nodes: [{ status: "canceled", childId: "child" }] },
  } as unknown as Execution;
}

function orphan(parent: object): Execution {
  return { state: { parent: { executionId: PARENT, nodeId: "node", ...parent } } } as unknown as Execution;
}
