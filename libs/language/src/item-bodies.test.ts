import { expect, test } from "vitest";
import { compileDefinition, findInnerPlan } from "./index.ts";
import type { DagPlan } from "./index.ts";

function compile(nodes: string): DagPlan {
  const source = `workflow:\n  id: w\n  type: dag\n  retention: 1d\n  nodes:\n${nodes}`;
  const { plan, findings } = compileDefinition(source);
  expect(findings).toEqual([]);
  return plan as DagPlan;
}

const NESTED = `
    - { id: get-rates, type: tool, tool: t }
    - { id: limit, type: action, subtype: set, params: { limit: 3 } }
    - id: days
      type: control
      subtype: loop
      for_each: "\${input.days}"
      as: day
      nodes:
        - id: each
          type: control
          subtype: map
          for_each: "\${day.orders}"
          as: order
          dependencies: []
          nodes:
            - { id: price, type: tool, tool: t, inputs: ["\${order.sum}", "\${get-rates.output.eur}", "\${sku}", "\${input.shop.id}"] }
            - id: parcels
              type: control
              subtype: map
              for_each: "\${order.parcels}"
              nodes:
                - { id: send, type: tool, tool: t, inputs: ["\${item}", "\${index}", "\${day.name}", "\${loop.index}", "\${order.id}"] }
                - { id: check, type: tool, tool: t, when: "nodes['get-rates'].status == 'completed' && price.output.list[0].a > (vars.limit ?? 0)" }
              output: ["\${send.output}", "\${input.shop.name}", "\${execution.id}", "\${current}"]
`;

test("the body of a map is a plan of its own, and what it reads around it is captured part by part", () => {
  const plan = compile(NESTED);
  expect(plan.nodes.map(({ id }) => id)).toEqual(["get-rates", "limit", "days", "each"]);
  expect(plan.nodes[3]).toMatchObject({ kind: "map", workflowId: "w.each", itemName: "order" });
  const byName = (left: { name: string }, right: { name: string }) => (left.name < right.name ? -1 : 1);
  expect((plan.nodes[3] as { captures: { name: string }[] }).captures.toSorted(byName)).toEqual([
    { name: "day", paths: [["name"]] },
    {
      name: "get-rates",
      paths: [["status"], ["output", "eur"]],
    },
    {
      name: "input",
      paths: [
        ["shop", "name"],
        ["shop", "id"],
      ],
    },
    { name: "loop", paths: [["index"]] },
    { name: "sku", paths: [[]] },
    { name: "vars", paths: [["limit"]] },
  ]);
  const body = findInnerPlan(plan, "each")!;
  expect(body).toMatchObject({
    workflowId: "w.each",
    retentionMs: 86_400_000,
    surroundings: { itemName: "order", nodeIds: ["get-rates"] },
  });
  // A field of what may flow in comes last, as it does outside.
  expect(body.surroundings?.names.toSorted()).toEqual(["day", "get-rates", "index", "loop", "order"]);
  const inner = findInnerPlan(plan, "each.parcels")!;
  expect(inner).toMatchObject({ workflowId: "w.each.parcels", nodes: [{ id: "send" }, { id: "check" }] });
  expect(inner.surroundings?.nodeIds.toSorted()).toEqual(["get-rates", "price"]);
  expect((body.nodes[1] as { captures: { name: string }[] }).captures.map(({ name }) => name).toSorted()).toEqual([
    "day",
    "get-rates",
    "input",
    "loop",
    "order",
    "price",
    "vars",
  ]);
});

test("a map waits for what its body reads, however deep", () => {
  const plan = compile(NESTED);
  expect(plan.nodes[2]?.dependencies).toEqual([0]);
  expect(findInnerPlan(plan, "each")?.nodes[1]?.dependencies).toEqual([0]);
});

test("the nodes of bodies are counted", () => {
  const { summary } = compileDefinition(`workflow:\n  id: w\n  type: dag\n  nodes:\n${NESTED}`);
  expect(summary).toMatchObject({ nodeCount: 8, criticalPath: ["get-rates", "days", "each"] });
});

test("bodies side by side may have the same ids", () => {
  const plan = compile(
    ["one", "two"]
      .map(
        (id) =>
          `    - { id: ${id}, type: control, subtype: map, for_each: [], nodes: [{ id: a, type: tool, tool: t }] }\n`,
      )
      .join(""),
  );
  expect(Object.keys(plan.bodies ?? {})).toEqual(["one", "two"]);
});

test.each(["", "nothing", "each.nothing", "each.parcels.send", "toString", "days", "each."])(
  "there is no plan %j",
  (id) => {
    expect(findInnerPlan(compile(NESTED), id)).toBeUndefined();
  },
);

test("what an item sets is its own, and comes before what was set around it", () => {
  const plan = compile(`
    - { id: before, type: action, subtype: set, params: { total: 1 } }
    - id: each
      type: control
      subtype: map
      dependencies: [before]
      for_each: "\${input.items}"
      nodes:
        - { id: add, type: action, subtype: set, params: { total: "\${vars.total + item}", own: 1 } }
      output: "\${vars.total + vars.own}"
`);
  expect(plan.nodes[1]).toMatchObject({ captures: [{ name: "vars", paths: [["total"], ["own"]] }] });
});

test("what the workflow says of undoing is said of bodies in bodies too", () => {
  const { plan } = compileDefinition(`workflow:
  id: w
  type: dag
  compensation: { on_cancel: false, on_failure: continue }
  cleanup_timeout: 5m
  nodes:
    - id: outer
      type: control
      subtype: map
      for_each: []
      nodes:
        - { id: inner, type: control, subtype: map, for_each: [], nodes: [{ id: a, type: tool, tool: t, compensate: { tool: undo } }] }
`);
  const policy = { compensation: { onCancel: false, onFailure: "continue" }, cleanupTimeoutMs: 300_000 };
  expect(plan).toMatchObject(policy);
  expect(findInnerPlan(plan as DagPlan, "outer")).toMatchObject(policy);
  expect(findInnerPlan(plan as DagPlan, "outer.inner")).toMatchObject(policy);
});
