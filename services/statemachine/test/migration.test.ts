import { afterEach, beforeEach, expect, it } from "vitest";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

const FIRST = `
workflow:
  id: parcel
  type: state_machine
  context: { stops: 0 }
  states:
    - name: travelling
      invoke: { id: track, workflow: track-parcel }
      transitions:
        - { event: stop, target: travelling, internal: true, actions: { type: assign, params: { stops: "\${stops + 1}" } } }
        - { after: 2d, target: lost }
        - { event: arrive, target: home }
    - { name: lost }
    - { name: home, type: final }
`;
/** Travelling is called otherwise, and nobody tracks it any more. */
const SECOND = FIRST.replaceAll("travelling", "under-way").replace(/\n +invoke:.*/, "");
const THIRD = SECOND.replace(
  "- { name: lost }",
  "- { name: lost, transitions: [{ event: found, target: under-way }] }",
);

let suite: MachineSuite;
beforeEach(async () => {
  suite = await startMachineSuite();
  suite.publish(FIRST);
});
afterEach(() => suite.stop());

it("tells what a migration would do, does it by a mapping, and goes on in the new version after a crash", async () => {
  const { machine } = await suite.client.createMachine({ workflowId: "parcel" });
  const machineId = machine!.machineId;
  await expect.poll(() => suite.executions.started.length, { timeout: 10_000 }).toBe(1);
  suite.publish(SECOND);
  const unmapped = await suite.client.migrateMachine({ machineId, version: 2, dryRun: true });
  expect(unmapped.obstacles).toEqual([expect.stringContaining("travelling")]);
  await expect(suite.client.migrateMachine({ machineId, version: 2 })).rejects.toMatchObject({
    reason: "MIGRATION_IMPOSSIBLE",
  });
  const stateMapping = { travelling: "under-way" };
  const dry = await suite.client.migrateMachine({ machineId, version: 2, stateMapping, dryRun: true });
  expect(dry).toMatchObject({
    obstacles: [],
    configuration: ["under-way"],
    canceledInvocations: ["track"],
    canceledTimers: [],
    machine: { version: 1, configuration: ["travelling"] },
  });
  const moved = await suite.client.migrateMachine({ machineId, version: 2, stateMapping });
  expect(moved).toMatchObject({
    configuration: ["under-way"],
    machine: { version: 2, configuration: ["under-way"], nextTimerAt: machine!.nextTimerAt },
  });
  // The same again changes nothing.
  const again = await suite.client.migrateMachine({ machineId, version: 2, stateMapping });
  expect(again.machine?.version).toBe(2);
  suite.publish(THIRD);
  await suite.crash();
  await suite.client.migrateMachine({ machineId, version: 3 });
  const { machine: arrived } = await suite.client.sendEvent({ machineId, event: "arrive" });
  expect(arrived).toMatchObject({ version: 3, configuration: ["home"] });
  const { events } = await suite.client.listMachineHistory({ machineId });
  expect(events.filter(({ event }) => event.case === "migrated")).toHaveLength(2);
});
