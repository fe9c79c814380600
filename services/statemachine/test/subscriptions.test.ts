import { afterEach, beforeEach, expect, it } from "vitest";
import type { ScriptedExecution } from "./support/scripted-executions.ts";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

const SHELF = `
workflow:
  id: shelf
  type: state_machine
  context: { filled: 0, last: null }
  states:
    - name: watching
      subscribe: { workflow: refill, labels: { shelf: "\${machine.key}" }, event: refill }
      transitions:
        - { event: refill, actions: { type: assign, params: { filled: "\${filled + 1}", last: "\${event.data}" } } }
        - { event: look_away, target: resting }
    - name: resting
      transitions: [{ event: look, target: watching }]
`;
/** Hears of everything that ends, as a whole. */
const CLERK = `
workflow:
  id: clerk
  type: state_machine
  subscribe: { workflow: refill, status: [completed, failed] }
  context: { heard: "\${[]}" }
  states:
    - name: listening
      transitions: [{ event: execution, actions: { type: assign, params: { heard: "\${heard + [event.name]}" } } }]
`;

let suite: MachineSuite;
beforeEach(async () => {
  suite = await startMachineSuite();
  suite.publish(SHELF);
  suite.publish(CLERK);
});
afterEach(() => suite.stop());

async function createMachine(workflowId: string, key: string): Promise<void> {
  await suite.client.createMachine({ workflowId, key });
}

async function startRefill(shelf: string): Promise<ScriptedExecution> {
  const { execution } = await suite.starter.startExecution({
    workflowId: "refill",
    labels: { shelf, shop: "berlin" },
    requestId: `${suite.executions.started.length}`,
  });
  return suite.executions.started.find(({ id }) => id === execution?.executionId)!;
}

async function contextOf(workflowId: string, key: string) {
  return (await suite.client.getMachine({ workflowId, key })).machine?.context;
}

it("brings each end to the machines that subscribe to it by label, once, at once after they have begun to", async () => {
  for (const key of ["a", "b"]) await createMachine("shelf", key);
  const refill = await startRefill("a");
  // The machine has just been created, and nothing of it is projected yet.
  await createMachine("shelf", "c");
  const other = await startRefill("c");
  await suite.executions.complete(other, 1);
  await suite.executions.complete(refill, { boxes: 3 });
  await suite.executions.repeat();
  expect(await contextOf("shelf", "a")).toEqual({
    filled: 1,
    last: {
      execution_id: refill.id,
      workflow_id: "refill",
      status: "completed",
      labels: { shelf: "a", shop: "berlin" },
      output: { boxes: 3 },
      failure: null,
    },
  });
  expect(await contextOf("shelf", "b")).toMatchObject({ filled: 0 });
  expect(await contextOf("shelf", "c")).toMatchObject({ filled: 1 });
});

it("brings nothing to a machine that has left the state, and again to one that is back, also after a crash", async () => {
  await createMachine("shelf", "a");
  const name = { workflowId: "shelf", key: "a" };
  await suite.client.sendEvent({ ...name, event: "look_away" });
  await suite.executions.complete(await startRefill("a"), 1);
  await suite.client.sendEvent({ ...name, event: "look" });
  await suite.crash();
  expect(await contextOf("shelf", "a")).toMatchObject({ filled: 0 });
  await suite.executions.complete(await startRefill("a"), 2);
  expect(await contextOf("shelf", "a")).toMatchObject({ filled: 1, last: { output: 2 } });
});

it("tells machines as a whole by the way that executions end, and nothing of ends of before their creation", async () => {
  await createMachine("shelf", "a");
  const early = await startRefill("a");
  await suite.executions.complete(early, 1);
  await createMachine("clerk", "c");
  await suite.executions.repeat();
  await suite.executions.fail(await startRefill("x"), "no boxes");
  await suite.executions.complete(await startRefill("y"), 1);
  expect(await contextOf("clerk", "c")).toEqual({ heard: ["execution.failed", "execution.completed"] });
});

it("queues what a suspended machine hears, and forgets what a version subscribed to that it no longer runs", async () => {
  await createMachine("shelf", "a");
  const { machine } = await suite.client.getMachine({ workflowId: "shelf", key: "a" });
  const machineId = machine!.machineId;
  await suite.client.suspendMachine({ machineId });
  await suite.executions.complete(await startRefill("a"), 1);
  await suite.client.resumeMachine({ machineId });
  expect(await contextOf("shelf", "a")).toMatchObject({ filled: 1 });
  suite.publish(SHELF.replace(/\n +subscribe:.*/, ""));
  await suite.client.migrateMachine({ machineId, version: 2 });
  await suite.executions.complete(await startRefill("a"), 1);
  expect(await contextOf("shelf", "a")).toMatchObject({ filled: 1 });
});
