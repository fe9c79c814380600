import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Machine } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

const HOUR_MS = 3_600_000;

/** One machine for each policy: an hour after its creation the event of its timer is due. */
const source = (policy: string): string => `
workflow:
  id: ${policy}
  type: state_machine
  states:
    - name: waiting
      transitions: [{ after: 1h, target: late, resume: ${policy} }]
    - { name: late }
`;
const POLICIES = ["absolute", "remaining", "restart"] as const;

let suite: MachineSuite;
beforeEach(async () => {
  suite = await startMachineSuite();
  for (const policy of POLICIES) suite.publish(source(policy));
});
afterEach(() => suite.stop());

async function createAll(): Promise<Map<string, Machine>> {
  const machines = new Map<string, Machine>();
  for (const workflowId of POLICIES) {
    machines.set(workflowId, (await suite.client.createMachine({ workflowId })).machine!);
  }
  return machines;
}

/** How long after its creation each is due, in whole minutes; null: it has no timer any more. */
async function dueMinutes(machines: ReadonlyMap<string, Machine>): Promise<Record<string, number | null>> {
  const due: Record<string, number | null> = {};
  for (const [policy, { machineId, createdAt }] of machines) {
    const { nextTimerAt } = (await suite.client.getMachine({ machineId })).machine!;
    due[policy] =
      nextTimerAt === undefined ? null : Math.floor((timestampMs(nextTimerAt) - timestampMs(createdAt!)) / 60_000);
  }
  return due;
}

describe("the timer of a delayed transition", () => {
  it("keeps its time over a suspension, waits for what was left, or begins again, as its policy says", async () => {
    const machines = await createAll();
    suite.skip(HOUR_MS / 4);
    for (const { machineId } of machines.values()) await suite.client.suspendMachine({ machineId });
    expect(await dueMinutes(machines)).toEqual({ absolute: null, remaining: null, restart: null });
    suite.skip(HOUR_MS / 2);
    await suite.crash();
    for (const { machineId } of machines.values()) await suite.client.resumeMachine({ machineId });
    expect(await dueMinutes(machines)).toEqual({ absolute: 60, remaining: 90, restart: 105 });
  });

  it("fires once when a suspension ends that was longer than it", async () => {
    const machines = await createAll();
    for (const { machineId } of machines.values()) await suite.client.suspendMachine({ machineId });
    suite.skip(2 * HOUR_MS);
    for (const { machineId } of machines.values()) await suite.client.resumeMachine({ machineId });
    const { machineId } = machines.get("absolute")!;
    expect((await suite.client.getMachine({ machineId })).machine?.configuration).toEqual(["late"]);
    expect(await dueMinutes(machines)).toEqual({ absolute: null, remaining: 180, restart: 180 });
  });

  it("fires once after a time when nobody ran, whatever its policy, and not before it is due", async () => {
    const machines = await createAll();
    suite.skip(HOUR_MS - 60_000);
    await suite.restart();
    expect(await dueMinutes(machines)).toEqual({ absolute: 60, remaining: 60, restart: 60 });
    suite.skip(60_000);
    await suite.crash();
    for (const { machineId } of machines.values()) {
      const look = async () => (await suite.client.getMachine({ machineId })).machine?.configuration;
      await expect.poll(look, { timeout: 10_000 }).toEqual(["late"]);
      const { events } = await suite.client.listMachineHistory({ machineId });
      const received = events.filter(({ event }) => event.case === "eventReceived");
      expect(received).toHaveLength(1);
      expect(timestampMs(received[0]!.occurredAt!) - timestampMs(events[0]!.occurredAt!)).toBeGreaterThanOrEqual(
        HOUR_MS,
      );
    }
  });
});

it("queues events while it is suspended, and takes them in order afterwards", async () => {
  suite.publish(`
workflow:
  id: log
  type: state_machine
  context: { seen: "\${[]}" }
  states:
    - name: listening
      transitions: [{ event: note, actions: { type: assign, params: { seen: "\${seen + [event.data]}" } } }]
`);
  const { machine } = await suite.client.createMachine({ workflowId: "log" });
  const machineId = machine!.machineId;
  await suite.client.suspendMachine({ machineId, reason: "a look" });
  for (const stringValue of ["a", "b"]) {
    const data = { kind: { case: "stringValue" as const, value: stringValue } };
    const sent = await suite.client.sendEvent({ machineId, event: "note", data });
    expect(sent.handled).toBe(false);
  }
  await suite.crash();
  const { machine: resumed } = await suite.client.resumeMachine({ machineId });
  expect(resumed).toMatchObject({ context: { seen: ["a", "b"] }, queuedEvents: 0 });
});
