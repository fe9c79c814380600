import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createEventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ORDER } from "./support/sources.ts";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

type Change = MessageInitShape<typeof DefinitionEventSchema>["event"];

let suite: MachineSuite;
let offset = 0;
beforeEach(async () => {
  suite = await startMachineSuite();
  suite.publish(ORDER);
  suite.publish(`${ORDER}\n# the second version`);
  offset = 0;
});
afterEach(() => suite.stop());

it("creates what events have called active while the definition service is away, also after a restart", async () => {
  await tell(1, { case: "versionActivated", value: { version: 2 } });
  await tell(2, { case: "versionActivated", value: { version: 1, previousVersion: 2 } });
  await expect.poll(storedCharts, { timeout: 10_000 }).toBe("1,2");
  expect(await createdVersion()).toBe(2);
  suite.setDefinitionsDown(true);
  expect(await createdVersion()).toBe(1);
  await suite.restart();
  expect(await createdVersion()).toBe(1);
  suite.setDefinitionsDown(false);
  expect(await createdVersion()).toBe(2);
});

it("creates nothing of a definition that was deleted, nor of one that no event has told of", async () => {
  await tell(1, { case: "versionActivated", value: { version: 1 } });
  await tell(2, { case: "deleted", value: { version: 1 } });
  suite.setDefinitionsDown(true);
  await expect(createdVersion()).rejects.toMatchObject({ kind: "unavailable" });
  await expect(suite.client.createMachine({ workflowId: "unknown" })).rejects.toMatchObject({ kind: "unavailable" });
});

async function tell(seq: number, event: Change): Promise<void> {
  const message = create(DefinitionEventSchema, {
    eventId: `default/order/${seq}`,
    namespace: "default",
    workflowId: "order",
    seq: BigInt(seq),
    event,
  });
  offset += 1;
  await suite.bus.publish([
    createEventMessage(DefinitionEventSchema, message, {
      id: message.eventId,
      source: "/heddle/definition",
      key: "default/order",
      position: { partition: 0, offset, index: 0 },
    }),
  ]);
}

async function createdVersion(): Promise<number | undefined> {
  const { machine } = await suite.client.createMachine({ workflowId: "order" });
  return machine?.version;
}

async function storedCharts(): Promise<string> {
  const { rows } = await suite.testDatabase.database.query<{ version: number }>({
    text: "select version from plans where workflow_id = 'order' order by version",
  });
  return rows.map(({ version }) => version).join();
}
