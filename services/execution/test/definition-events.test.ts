import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createEventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";
import { PATIENT } from "./support/sources.ts";

type Change = MessageInitShape<typeof DefinitionEventSchema>["event"];

let suite: ExecutionSuite;
let offset = 0;
beforeEach(async () => {
  suite = await startExecutionSuite();
  suite.publish(PATIENT);
  suite.publish(`${PATIENT}\n# the second version`);
  offset = 0;
});
afterEach(() => suite.stop());

it("starts what events have called active while the definition service is away, and what the service says otherwise", async () => {
  await tell(1, { case: "versionActivated", value: { version: 2 } });
  await tell(2, { case: "versionActivated", value: { version: 1, previousVersion: 2 } });
  await expect.poll(storedPlans, { timeout: 10_000 }).toBe("1,2");
  expect(await startedVersion()).toBe(2);
  suite.setDefinitionsDown(true);
  expect(await startedVersion()).toBe(1);
  // An older event that comes late, as after a change of the topic's partitions, takes nothing back.
  await tell(1, { case: "versionActivated", value: { version: 2 } });
  expect(await startedVersion()).toBe(1);
  await suite.restart();
  expect(await startedVersion()).toBe(1);
  suite.setDefinitionsDown(false);
  expect(await startedVersion()).toBe(2);
});

it("starts nothing of a definition that was deleted, nor of one that no event has told of", async () => {
  await tell(1, { case: "versionActivated", value: { version: 1 } });
  await tell(2, { case: "deleted", value: { version: 1 } });
  suite.setDefinitionsDown(true);
  await expect(startedVersion()).rejects.toMatchObject({ kind: "unavailable" });
  await expect(suite.client.startExecution({ workflowId: "unknown" })).rejects.toMatchObject({ kind: "unavailable" });
});

it("goes on with its own last answer when no event has come yet", async () => {
  expect(await startedVersion()).toBe(2);
  suite.setDefinitionsDown(true);
  expect(await startedVersion()).toBe(2);
});

it("loads a plan ahead as soon as the definition service is back", async () => {
  suite.setDefinitionsDown(true);
  await tell(1, { case: "versionActivated", value: { version: 1 } });
  suite.setDefinitionsDown(false);
  await expect.poll(storedPlans, { timeout: 10_000 }).toBe("1");
});

it("sets an event aside that it cannot read, and goes on behind it", async () => {
  const message = createEventMessage(DefinitionEventSchema, create(DefinitionEventSchema, {}), {
    id: "default/patient/1",
    source: "/heddle/definition",
    key: "default/patient",
    position: { partition: 0, offset: ++offset, index: 0 },
  });
  await suite.bus.publish([{ ...message, value: Uint8Array.of(0xff, 0xff) }]);
  await tell(2, { case: "versionActivated", value: { version: 1 } });
  const { rows } = await suite.testDatabase.database.query<{ key: string }>({
    text: "select message_key as key from event_poison",
  });
  expect(rows).toEqual([{ key: "default/patient" }]);
  await expect.poll(storedPlans, { timeout: 10_000 }).toBe("1");
});

async function tell(seq: number, event: Change): Promise<void> {
  const message = create(DefinitionEventSchema, {
    eventId: `default/patient/${seq}`,
    namespace: "default",
    workflowId: "patient",
    seq: BigInt(seq),
    event,
  });
  offset += 1;
  await suite.bus.publish([
    createEventMessage(DefinitionEventSchema, message, {
      id: `${message.eventId}/${offset}`,
      source: "/heddle/definition",
      key: "default/patient",
      position: { partition: 0, offset, index: 0 },
    }),
  ]);
}

async function startedVersion(): Promise<number | undefined> {
  const { execution } = await suite.client.startExecution({ workflowId: "patient" });
  return execution?.version;
}

async function storedPlans(): Promise<string> {
  const { rows } = await suite.testDatabase.database.query<{ version: number }>({
    text: "select version from plans where workflow_id = 'patient' order by version",
  });
  return rows.map(({ version }) => version).join();
}
