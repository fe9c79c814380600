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
      logger: createLogger({ name: "test", level: "silent" }),
    } as unknown as ChildrenOptions);
    children.start(PARENT, CHILD);
    return {
      told,
      async finish() {
        await expect.poll(() => told).toEqual([]);
        parent = parentThat("canceled");
        children.cancel(CHILD.childId, "its parent has ended");
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
