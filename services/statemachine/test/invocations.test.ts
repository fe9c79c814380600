import { DomainError } from "@heddle/errors";
import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { type Machine, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ScriptedExecution } from "./support/scripted-executions.ts";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";
import { jsonOf, value } from "./support/values.ts";

const SHOP = `
workflow:
  id: shop
  type: state_machine
  context: { result: null }
  states:
    - name: packing
      invoke: { id: ship, workflow: fulfil, inputs: { order: "\${machine.key}" } }
      transitions:
        - { event: done.invoke.ship, target: sent, actions: { type: assign, params: { result: "\${event.data}" } } }
        - { event: error.invoke.ship, target: stuck, actions: { type: assign, params: { result: "\${event.data.message}" } } }
        - { event: hint, actions: { type: send, params: { event: hurry, data: 1, to: { invocation: ship } } } }
        - { event: call_off, target: called-off }
    - { name: sent, type: final, output: "\${result}" }
    - { name: stuck, transitions: [{ event: again, target: packing }] }
    - { name: called-off }
`;

let suite: MachineSuite;
beforeEach(async () => {
  suite = await startMachineSuite();
  suite.publish(SHOP);
});
afterEach(() => suite.stop());

async function createShop(): Promise<string> {
  const { machine } = await suite.client.createMachine({ workflowId: "shop", key: "A-7" });
  return machine!.machineId;
}

async function get(machineId: string): Promise<Machine> {
  return (await suite.client.getMachine({ machineId })).machine!;
}

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(check, { timeout: 20_000 }).toBe(true);
}

const only = (): ScriptedExecution => suite.executions.started[0]!;
const isKnown = async (machineId: string) => (await get(machineId)).invocations[0]?.startedId !== "";

it("goes on with what it has invoked after a crash, and takes its end once", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  await suite.crash();
  await suite.executions.complete(only(), { box: 1 });
  await suite.executions.complete(only(), { box: 1 });
  await until(async () => (await get(machineId)).status === MachineStatus.FINISHED);
  expect(jsonOf((await get(machineId)).output)).toEqual({ box: 1 });
  expect(suite.executions.started).toMatchObject([
    { input: { order: "A-7" }, requestId: `${machineId}/ship/1`, origin: { id: machineId, name: "ship" } },
  ]);
  const { events } = await suite.client.listMachineHistory({ machineId });
  expect(events.filter(({ event }) => event.case === "eventReceived")).toHaveLength(1);
});

it("starts after a crash between the commit and the start what it owes, once", async () => {
  suite.executions.setDown(true);
  const machineId = await createShop();
  await suite.crash();
  suite.executions.setDown(false);
  await until(() => isKnown(machineId));
  await suite.crash();
  await until(() => isKnown(machineId));
  expect(suite.executions.started).toHaveLength(1);
});

it("finds after a crash that what it had invoked has ended meanwhile, unheard", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  await suite.executions.complete(only(), { box: 2 }, { silently: true });
  await suite.crash();
  await until(async () => (await get(machineId)).status === MachineStatus.FINISHED);
  expect(jsonOf((await get(machineId)).output)).toEqual({ box: 2 });
});

it("cancels what a state invoked that was left, also when nobody could be reached at that time", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  suite.executions.setDown(true);
  await suite.client.sendEvent({ machineId, event: "call_off" });
  await suite.crash();
  suite.executions.setDown(false);
  await until(() => only().status === ExecutionStatus.CANCELED);
  await until(async () => {
    const { events } = await suite.client.listMachineHistory({ machineId });
    return events.at(-1)?.event.case === "cancellationAcknowledged";
  });
  expect((await get(machineId)).configuration).toEqual(["called-off"]);
});

it("hears of a failure, of a refused start, and runs another one when its state is entered again", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  await suite.executions.fail(only(), "no boxes left");
  await until(async () => (await get(machineId)).configuration[0] === "stuck");
  expect((await get(machineId)).context).toMatchObject({ result: "no boxes left" });
  suite.executions.refused.set(
    "fulfil",
    new DomainError({ kind: "not_found", reason: "DEFINITION_NOT_FOUND", message: "there is no workflow fulfil" }),
  );
  await suite.client.sendEvent({ machineId, event: "again" });
  await until(async () => (await get(machineId)).context?.["result"] === "there is no workflow fulfil");
  suite.executions.refused.clear();
  await suite.client.sendEvent({ machineId, event: "again" });
  await until(() => suite.executions.started.length === 2);
  // The end of the first run concerns nobody any more.
  await suite.executions.complete(only(), { box: 3 });
  expect((await get(machineId)).configuration).toEqual(["packing"]);
});

it("delivers a message to what it has invoked once, over a crash", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  suite.executions.setDown(true);
  await suite.client.sendEvent({ machineId, event: "hint" });
  await suite.crash();
  suite.executions.setDown(false);
  await until(() => only().signals.length > 0);
  expect(only().signals).toEqual([{ name: "hurry", payload: 1, requestId: `${machineId}/m/1` }]);
});

it("lets a suspended machine take the end when it is resumed", async () => {
  const machineId = await createShop();
  await until(() => isKnown(machineId));
  await suite.client.suspendMachine({ machineId });
  await suite.executions.complete(only(), { box: 4 });
  await until(async () => (await get(machineId)).queuedEvents === 1);
  const { machine } = await suite.client.resumeMachine({ machineId });
  expect(machine?.status).toBe(MachineStatus.FINISHED);
  expect(machine?.output).toEqual(value({ box: 4 }));
});
