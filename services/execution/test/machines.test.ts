import { create, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Machine } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { EndedMachineSchema } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createScriptedMachines, refusal, type ScriptedMachines } from "./support/scripted-machines.ts";
import { type ExecutionSuite, startExecutionSuite } from "./support/suite.ts";

const SHIPPING = `
workflow:
  id: shipping
  type: dag
  nodes:
    - id: parcel
      type: state_machine
      workflow_id: parcel-machine
      context: { weight: "\${input.weight}" }
      events: [{ event: pack }, { event: send, data: { by: "\${input.by}" } }]
  output: { track: "\${parcel.output.track}" }
`;

let machines: ScriptedMachines;
let suite: ExecutionSuite;
beforeEach(async () => {
  machines = createScriptedMachines();
  suite = await startExecutionSuite(undefined, machines.routes);
  suite.publish(SHIPPING);
});
afterEach(() => suite.stop());

it("creates the machine, sends its events in order, and ends with its output", async () => {
  const id = await start();
  const machine = await acknowledged(id);
  expect(machine).toMatchObject({ workflowId: "parcel-machine", namespace: "default", context: { weight: 3 } });
  expect(machine.parent).toMatchObject({ id, name: "parcel" });
  expect(machines.calls).toEqual([`create ${id}/parcel`, "send pack start/0", "send send start/1"]);

  const finished = {
    case: "finished",
    value: { output: { form: { case: "json", value: '{"track":"T-1"}' } }, machine: ended(machine) },
  } as never;
  await machines.end(suite.bus, machine, finished);
  // Events may come more than once.
  await machines.end(suite.bus, machine, finished);
  const execution = await get(id);
  expect(execution.status).toBe(ExecutionStatus.COMPLETED);
  expect(toJson(ValueSchema, execution.output!)).toEqual({ track: "T-1" });
  expect(execution.nodes[0]).toMatchObject({ kind: "state_machine", machineId: machine.machineId });
});

it("fails with the machine, and when it is deleted", async () => {
  const [failed, deleted] = [await start(), await start()];
  const [first, second] = [await acknowledged(failed), await acknowledged(deleted)];
  const failure = { type: "livelock", message: "a, b, a" };
  await machines.end(suite.bus, first, { case: "failed", value: { failure, machine: ended(first) } } as never);
  await machines.end(suite.bus, second, {
    case: "deleted",
    value: { reason: "no more", machine: ended(second) },
  } as never);
  expect((await get(failed)).failure).toMatchObject({ type: "livelock", message: "a, b, a", nodeId: "parcel" });
  expect((await get(deleted)).failure).toMatchObject({ type: "machine_deleted", nodeId: "parcel" });
});

it("goes on trying, and takes over what was created without an answer", async () => {
  let left = 2;
  machines.refuse = (call) => (call.startsWith("created") && left-- > 0 ? refusal("unavailable", "X") : undefined);
  const id = await start();
  const machine = await acknowledged(id);
  expect(machines.calls.filter((call) => call === `create ${id}/parcel`)).toHaveLength(3);
  expect(machines.machines.size).toBe(1);
  expect(machine.parent?.id).toBe(id);
});

it("takes the end of a machine that has ended before anybody listened", async () => {
  machines.refuse = (call) => {
    for (const machine of machines.machines.values()) machine.status = MachineStatus.FINISHED;
    return call.startsWith("send") ? refusal("failed_precondition", "MACHINE_FINISHED") : undefined;
  };
  const id = await start();
  await expect.poll(async () => (await get(id)).nodes[0]?.status).toBe(NodeStatus.COMPLETED);
});

it("deletes a machine that refuses its events, and fails", async () => {
  machines.refuse = (call) =>
    call.startsWith("send send") ? refusal("failed_precondition", "EVENT_NOT_EXPECTED") : undefined;
  const id = await start();
  await expect.poll(async () => (await get(id)).failure?.type).toBe("event_not_expected");
  await expect.poll(() => machines.calls.at(-1)).toBe(`delete ${[...machines.machines.keys()][0]}`);
});

it("fails when somebody else's machine has the key", async () => {
  machines.refuse = (call) => {
    for (const machine of machines.machines.values()) machine.parent = undefined;
    return call.startsWith("delete") ? refusal("unavailable", "X") : undefined;
  };
  const id = await start();
  await expect.poll(async () => (await get(id)).failure?.type).toBe("key_exists");
  expect(machines.calls.some((call) => call.startsWith("delete"))).toBe(false);
});

it("deletes the machine when the execution is canceled, also one whose creation had no answer", async () => {
  const known = await start();
  const { machineId } = await acknowledged(known);
  await suite.client.cancelExecution({ executionId: known });
  await expect.poll(() => machines.calls.at(-1)).toBe(`delete ${machineId}`);

  machines.refuse = (call) => (call.startsWith("created") ? refusal("unavailable", "X") : undefined);
  const unknown = await start();
  await expect.poll(() => machines.calls.includes(`create ${unknown}/parcel`)).toBe(true);
  await suite.client.cancelExecution({ executionId: unknown });
  machines.refuse = () => undefined;
  const created = () => [...machines.machines.values()].find(({ parent }) => parent?.id === unknown);
  await expect.poll(() => machines.calls.includes(`delete ${created()?.machineId}`)).toBe(true);
});

it("derives what is missing after a crash", async () => {
  machines.refuse = () => refusal("unavailable", "X");
  const id = await start();
  await expect.poll(() => machines.calls.length).toBeGreaterThan(0);
  await suite.crash();
  machines.refuse = () => undefined;
  await acknowledged(id);
});

async function start(): Promise<string> {
  const { execution } = await suite.client.startExecution({
    workflowId: "shipping",
    input: { weight: 3, by: "air" },
  });
  return execution!.executionId;
}

async function get(executionId: string) {
  return (await suite.client.getExecution({ executionId })).execution!;
}

async function acknowledged(executionId: string): Promise<Machine> {
  await expect.poll(async () => (await get(executionId)).nodes[0]?.machineId, { timeout: 10_000 }).not.toBe("");
  return machines.machines.get((await get(executionId)).nodes[0]!.machineId)!;
}

function ended({ namespace, workflowId, key, parent }: Machine) {
  return create(EndedMachineSchema, { namespace, workflowId, key, parent });
}
