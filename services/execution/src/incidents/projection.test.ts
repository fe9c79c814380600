import type { Plan } from "@heddle/engine";
import { describe, expect, it } from "vitest";
import type { Execution } from "../domain/aggregate.ts";
import { createIncidentTable } from "./projection.ts";

const plan = {
  nodes: ["a", "b"].map((id, index) => ({ index, id, definition: { kind: "task" } })),
  document: {},
} as unknown as Plan;

/** An execution whose nodes at these indices wait for a person. */
function executionWith(...open: { node: number; openedAt: number }[]): Execution {
  const state = { namespace: "default", workflowId: "w", version: 1 } as Execution["state"];
  setOpen(state, open);
  return { plan, seq: 1, state };
}

function setOpen(state: Execution["state"], open: readonly { node: number; openedAt: number }[]): void {
  const isOpen = (index: number) => open.some(({ node }) => node === index);
  state.incidents = [...open];
  state.nodes = [0, 1].map((index) =>
    isOpen(index) ? { status: "waiting", attempt: 1, fallback: -1 } : { status: "completed", attempt: 1 },
  );
}

const table = () => {
  const side = createIncidentTable();
  const capture = (execution: Execution) => side.capture({ id: "x", partition: 0, execution });
  return { capture, written: side.written };
};

describe("the table of incidents", () => {
  it("says nothing of executions that never had one", () => {
    const execution = executionWith();
    delete execution.state.incidents;
    expect(table().capture(execution)).toBeUndefined();
  });

  it("is written anew after a start, then as far as it has changed", () => {
    const { capture, written } = table();
    const execution = executionWith({ node: 0, openedAt: 5 });
    const first = capture(execution)!;
    expect(first).toMatchObject({ replacesAll: true, rows: [expect.anything()], overNodeIds: [] });
    written([first]);
    expect(capture(execution)).toBeUndefined();
    setOpen(execution.state, [{ node: 1, openedAt: 7 }]);
    const second = capture(execution)!;
    expect(second).toMatchObject({ replacesAll: false, rows: [expect.anything()], overNodeIds: ["a"] });
    written([second]);
    // The same node, another incident.
    setOpen(execution.state, [{ node: 1, openedAt: 9 }]);
    expect(capture(execution)).toMatchObject({ replacesAll: false, rows: [expect.anything()], overNodeIds: [] });
  });

  it("is written anew after a write that failed, and may have been committed all the same", () => {
    const { capture, written } = table();
    const execution = executionWith({ node: 0, openedAt: 5 });
    written([capture(execution)!]);
    setOpen(execution.state, [
      { node: 0, openedAt: 5 },
      { node: 1, openedAt: 7 },
    ]);
    expect(capture(execution)).toMatchObject({ replacesAll: false });
    // Nobody says that it was written; by now the second one is over.
    setOpen(execution.state, [{ node: 0, openedAt: 5 }]);
    expect(capture(execution)).toMatchObject({ replacesAll: true, rows: [expect.anything()] });
  });
});
