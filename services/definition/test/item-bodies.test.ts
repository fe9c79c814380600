import { afterAll, beforeAll, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite } from "./support/suite.ts";

const source = (tool: string) => `workflow:
  id: orders
  type: dag
  nodes:
    - id: each
      type: control
      subtype: map
      for_each: "\${input.orders}"
      nodes:
        - { id: pack, type: tool, tool: ${tool} }
        - id: parcels
          type: control
          subtype: map
          for_each: "\${pack.output}"
          nodes: [{ id: send, type: tool, tool: ${tool} }]
`;

let suite: DefinitionSuite;
beforeAll(async () => {
  suite = await startDefinitionSuite();
  await suite.client.publishDefinition({ source: source("old") });
  await suite.client.publishDefinition({ source: source("new") });
});
afterAll(() => suite.stop());

const planOf = async (workflowId: string, version = 0): Promise<unknown> =>
  JSON.parse((await suite.client.getPlan({ workflowId, version })).planJson);

it("gives the body of a map as a plan of its own, by version, and lists no such workflow", async () => {
  expect(await planOf("orders.each")).toMatchObject({
    format: "heddle.plan/1",
    workflowId: "orders.each",
    nodes: [
      { id: "pack", taskName: "new" },
      { id: "parcels", workflowId: "orders.each.parcels" },
    ],
  });
  expect(await planOf("orders.each", 1)).toMatchObject({ nodes: [{ taskName: "old" }, {}] });
  expect(await planOf("orders.each.parcels", 1)).toMatchObject({
    workflowId: "orders.each.parcels",
    nodes: [{ id: "send", taskName: "old" }],
  });
  const { definitions } = await suite.client.listDefinitions({});
  expect(definitions.map(({ workflowId }) => workflowId)).toEqual(["orders"]);
});

it.each(["orders.pack", "orders.each.pack", "orders.parcels", "orders.each.", "orders.toString", "orders."])(
  "knows no plan %s",
  async (workflowId) => {
    await expect(suite.client.getPlan({ workflowId })).rejects.toMatchObject({ reason: "DEFINITION_NOT_FOUND" });
  },
);
