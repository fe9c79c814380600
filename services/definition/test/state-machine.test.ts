import { DefinitionType } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite, workflow } from "./support/suite.ts";

const PARCEL = `workflow:
  id: parcel
  type: state_machine
  states:
    - name: scanning
      invoke: { id: scan, tool: http_request, inputs: { url: "https://example.org/scan" } }
      transitions: [{ event: done.invoke.scan, target: known }, { event: error.invoke.scan, target: lost }]
    - { name: known, type: final }
    - { name: lost, type: final }
`;

let suite: DefinitionSuite;
beforeAll(async () => {
  suite = await startDefinitionSuite();
  await suite.client.publishDefinition({ source: PARCEL });
});
afterAll(() => suite.stop());

const planOf = async (workflowId: string, version = 0) => {
  const { planJson } = await suite.client.getPlan({ workflowId, version });
  return JSON.parse(planJson) as { format: string; workflowId: string; nodes?: { id: string; taskName: string }[] };
};

it("knows a state machine by its type", async () => {
  const { definitions } = await suite.client.listDefinitions({ type: DefinitionType.STATE_MACHINE });
  expect(definitions.map(({ workflowId }) => workflowId)).toEqual(["parcel"]);
  await expect
    .poll(() => suite.eventsOf("parcel")[0]?.event.value)
    .toMatchObject({
      type: DefinitionType.STATE_MACHINE,
    });
});

it("gives its chart as its plan", async () => {
  expect(await planOf("parcel")).toMatchObject({ format: "heddle.chart/1", workflowId: "parcel" });
});

it("gives what it invokes as a plan of one node, and lists no such workflow", async () => {
  const plan = {
    format: "heddle.plan/1",
    workflowId: "parcel.scan",
    nodes: [{ id: "scan", taskName: "http_request" }],
  };
  expect(await planOf("parcel.scan")).toMatchObject(plan);
  expect(await planOf("parcel.scan", 1)).toMatchObject(plan);
  expect(await suite.client.getPlan({ workflowId: "parcel.scan", knownVersion: 1 })).toMatchObject({
    version: 1,
    planJson: "",
  });
  const { definitions } = await suite.client.listDefinitions({});
  expect(definitions.map(({ workflowId }) => workflowId)).toEqual(["parcel"]);
});

it.each(["parcel.toString", "parcel.known", "nothing.scan"])("knows no plan %s", async (workflowId) => {
  await expect(suite.client.getPlan({ workflowId })).rejects.toMatchObject({ reason: "DEFINITION_NOT_FOUND" });
});

it("keeps the type of a definition", async () => {
  await expect(suite.client.publishDefinition({ source: workflow("parcel") })).rejects.toMatchObject({
    kind: "failed_precondition",
    reason: "TYPE_CHANGED",
  });
  expect((await suite.client.getDefinition({ workflowId: "parcel" })).definition?.latestVersion).toBe(1);
});
