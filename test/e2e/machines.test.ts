import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { type Machine, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { createGrpcTransport, createRpcClient, type RpcClient, type RpcTransport } from "@heddle/rpc";
import { createWorker, type Worker } from "@heddle/sdk";
import { createLogger } from "@heddle/telemetry";
import { afterAll, beforeAll, expect, it } from "vitest";
import { disposeDev, startDev, type TestDevProcess } from "./start-dev.ts";

const FULFIL = `
workflow:
  id: fulfil
  type: dag
  nodes:
    - { id: pack, type: tool, tool: pack, inputs: { order: "\${input.order}" } }
    - { id: packed, type: action, subtype: emit, params: { event: packed, payload: "\${pack.output}" } }
    - { id: label, type: action, subtype: wait, dependencies: [packed], params: { signal: labelled } }
    - { id: leaving, type: action, subtype: emit, dependencies: [label], params: { event: leaving } }
  output: { box: "\${pack.output.box}" }
`;

const ORDER = `
workflow:
  id: order
  type: state_machine
  context: { order: o-1, box: none, receipt: none, seen: "\${[]}" }
  states:
    - name: open
      transitions: [{ event: pay, target: charging }, { event: skip, target: fulfilling }]
    - name: charging
      invoke: { id: charge, tool: charge, inputs: { amount: 12 } }
      transitions:
        - event: done.invoke.charge
          target: fulfilling
          actions: { type: assign, params: { receipt: "\${event.data.receipt}" } }
        - { event: error.invoke.charge, target: refused }
    - name: fulfilling
      invoke: { id: ship, workflow: fulfil, inputs: { order: "\${order}" } }
      transitions:
        - event: labelled
          actions: { type: send, params: { event: labelled, to: { invocation: ship } } }
        - event: progress.invoke.ship
          actions: { type: assign, params: { seen: "\${seen + [[event.data.name, event.data.payload]]}" } }
        - event: done.invoke.ship
          target: sent
          actions: { type: assign, params: { box: "\${event.data.box}" } }
        - { event: call_off, target: refused }
    - { name: sent, type: final, output: { box: "\${box}", receipt: "\${receipt}" } }
    - { name: refused, type: final }
`;

/** Two machines that run one another. */
const SHOP = `
workflow:
  id: shop
  type: state_machine
  states:
    - name: waiting
      invoke: { id: order, machine: order, inputs: { order: o-2 } }
      transitions:
        - event: pay
          actions: { type: send, params: { event: pay, to: { invocation: order } } }
        - event: labelled
          actions: { type: send, params: { event: labelled, to: { invocation: order } } }
        - { event: done.invoke.order, target: over, actions: { type: assign, params: { result: "\${event.data}" } } }
    - { name: over, type: final, output: "\${result}" }
  context: { result: none }
`;

let dev: TestDevProcess;
let transport: RpcTransport;
let worker: Worker;
let machines: RpcClient<typeof StateMachineService>;
let executions: RpcClient<typeof ExecutionService>;

beforeAll(async () => {
  dev = await startDev();
  transport = createGrpcTransport(dev.url);
  machines = createRpcClient(StateMachineService, transport);
  executions = createRpcClient(ExecutionService, transport);
  const definitions = createRpcClient(DefinitionService, transport);
  for (const source of [FULFIL, ORDER, SHOP]) await definitions.publishDefinition({ source });
  worker = createWorker({
    address: dev.url,
    logger: createLogger({ name: "worker", level: "silent" }),
    handlers: { charge: async () => ({ receipt: "r-1" }), pack: async () => ({ box: "b-1" }) },
  });
  await worker.start();
});
afterAll(async () => {
  await worker?.stop();
  transport?.close();
  await disposeDev(dev);
});

it("invokes a tool and a workflow from states, and ends with what they give", async () => {
  const { machine } = await machines.createMachine({ workflowId: "order", key: "a" });
  const machineId = machine!.machineId;
  await machines.sendEvent({ workflowId: "order", key: "a", event: "pay" });
  await until(async () => (await get(machineId)).invocations.find(({ invokeId }) => invokeId === "ship")?.startedId);
  await machines.sendEvent({ machineId, event: "labelled" });
  const done = await until(async () => ended(await get(machineId)));
  expect(done).toMatchObject({ configuration: ["sent"], context: { box: "b-1", receipt: "r-1" } });
  // What the workflow has said on its way, each once, in order, and before its end.
  const seen = [
    ["packed", { box: "b-1" }],
    ["leaving", null],
  ];
  expect(done.context).toMatchObject({ seen });
});

it("cancels the workflow of a state that is left", async () => {
  const { machine } = await machines.createMachine({ workflowId: "order" });
  const machineId = machine!.machineId;
  await machines.sendEvent({ machineId, event: "skip" });
  const executionId = await until(async () => (await get(machineId)).invocations[0]?.startedId);
  await machines.sendEvent({ machineId, event: "call_off" });
  const canceled = await until(async () => {
    const { execution } = await executions.getExecution({ executionId });
    return execution?.status === ExecutionStatus.CANCELED ? execution : undefined;
  });
  expect(canceled.origin).toMatchObject({ id: machineId, name: "ship" });
  const history = await until(async () => {
    const { events } = await machines.listMachineHistory({ machineId });
    return events.at(-1)?.event.case === "cancellationAcknowledged" ? events : undefined;
  });
  expect(history.map(({ event }) => event.case)).toContain("invocationAcknowledged");
});

it("runs a machine inside of a machine", async () => {
  const { machine } = await machines.createMachine({ workflowId: "shop" });
  const machineId = machine!.machineId;
  await machines.sendEvent({ machineId, event: "pay" });
  const innerId = await until(async () => (await get(machineId)).invocations[0]?.startedId);
  await until(async () => (await get(innerId)).invocations.find(({ invokeId }) => invokeId === "ship")?.startedId);
  await machines.sendEvent({ machineId, event: "labelled" });
  const done = await until(async () => ended(await get(machineId)));
  expect(done.context).toMatchObject({ result: { box: "b-1", receipt: "r-1" } });
  expect((await get(innerId)).context).toMatchObject({ order: "o-2" });
});

async function get(machineId: string): Promise<Machine> {
  return (await machines.getMachine({ machineId })).machine!;
}

function ended(machine: Machine): Machine | undefined {
  return machine.status === MachineStatus.FINISHED ? machine : undefined;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined && found !== "") return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it has not come to that");
}
