import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ORDER, PATIENT, STRICT } from "./support/sources.ts";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";
import { jsonOf, value } from "./support/values.ts";

let suite: MachineSuite;
beforeAll(async () => {
  suite = await startMachineSuite();
  for (const source of [ORDER, STRICT, PATIENT]) suite.publish(source);
});
afterAll(() => suite.stop());

async function createMachine(workflowId: string): Promise<string> {
  const { machine } = await suite.client.createMachine({ workflowId });
  return machine!.machineId;
}

describe("a machine", () => {
  it("is created, takes events, and finishes", async () => {
    const { client } = suite;
    const { machine, created } = await client.createMachine({ workflowId: "order", context: { total: 5 } });
    expect(created).toBe(true);
    expect(machine).toMatchObject({
      status: MachineStatus.ACTIVE,
      configuration: ["open"],
      context: { total: 5, items: [] },
      enabledEvents: ["add", "pay"],
    });
    const machineId = machine!.machineId;
    const added = await client.sendEvent({ machineId, event: "add", data: value({ price: 7 }) });
    expect(added).toMatchObject({ handled: true, machine: { context: { total: 12 } } });
    const paid = await client.sendEvent({ machineId, event: "pay", data: value({ amount: 12 }) });
    expect(paid).toMatchObject({ handled: true, machine: { configuration: ["paid"] } });
    await client.sendEvent({ machineId, event: "ship" });
    const done = (await client.getMachine({ machineId })).machine!;
    expect(done.status).toBe(MachineStatus.FINISHED);
    expect(jsonOf(done.output)).toEqual({ total: 12 });
    const late = client.sendEvent({ machineId, event: "ship" });
    await expect(late).rejects.toMatchObject({ reason: "MACHINE_FINISHED" });
  });

  it("is created once for a business key, and once for a request id", async () => {
    const { client } = suite;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.createMachine({ workflowId: "order", key: "A-7" })),
    );
    expect(new Set(answers.map(({ machine }) => machine?.machineId)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    const first = await client.createMachine({ workflowId: "order", requestId: "r-1" });
    await suite.restart();
    const again = await suite.client.createMachine({ workflowId: "order", requestId: "r-1" });
    expect(again).toMatchObject({ created: false, machine: { machineId: first.machine!.machineId } });
    expect(await suite.client.createMachine({ workflowId: "order", key: "A-7" })).toMatchObject({ created: false });
    const other = suite.client.createMachine({ workflowId: "strict", requestId: "r-1" });
    await expect(other).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
    const { machine } = await suite.client.sendEvent({
      workflowId: "order",
      key: "A-7",
      event: "add",
      data: value({ price: 1 }),
    });
    expect(machine).toMatchObject({ key: "A-7", context: { total: 1 } });
  });

  it("drops, refuses or queues what leads nowhere, as its definition says", async () => {
    const { client } = suite;
    const drops = await createMachine("order");
    expect(await client.sendEvent({ machineId: drops, event: "ship" })).toMatchObject({
      handled: false,
      machine: { configuration: ["open"], queuedEvents: 0 },
    });
    const refuses = await createMachine("strict");
    const refused = client.sendEvent({ machineId: refuses, event: "ship" });
    await expect(refused).rejects.toMatchObject({ reason: "EVENT_NOT_EXPECTED" });
    expect((await client.getMachine({ machineId: refuses })).machine?.lastSeq).toBe(2n);
    const queues = await createMachine("patient");
    expect(await client.sendEvent({ machineId: queues, event: "ship" })).toMatchObject({
      handled: false,
      machine: { configuration: ["open"], queuedEvents: 1 },
    });
    const paid = await client.sendEvent({ machineId: queues, event: "pay", data: value({ amount: 0 }) });
    expect(paid.machine).toMatchObject({ configuration: ["shipped"], status: MachineStatus.FINISHED });
  });

  it("takes an event with a request id once, also after a restart, and answers as the first time", async () => {
    const machineId = await createMachine("order");
    const add = { machineId, event: "add", data: value({ price: 3 }), requestId: "e-1" };
    const answers = await Promise.all(Array.from({ length: 5 }, () => suite.client.sendEvent(add)));
    expect(answers.every(({ handled }) => handled)).toBe(true);
    await suite.client.sendEvent({ machineId, event: "ship", requestId: "e-2" });
    await suite.crash();
    expect(await suite.client.sendEvent(add)).toMatchObject({ handled: true, machine: { context: { total: 3 } } });
    const dropped = await suite.client.sendEvent({ machineId, event: "ship", requestId: "e-2" });
    expect(dropped.handled).toBe(false);
  });

  it("refuses events that only the machine itself makes, and those of machines that are not", async () => {
    const machineId = await createMachine("order");
    const reserved = suite.client.sendEvent({ machineId, event: "done.state.open" });
    await expect(reserved).rejects.toMatchObject({ reason: "REQUEST_INVALID" });
    const nobody = suite.client.sendEvent({ workflowId: "order", key: "nobody", event: "pay" });
    await expect(nobody).rejects.toMatchObject({ reason: "MACHINE_NOT_FOUND" });
  });

  it("is deleted once, and stays readable", async () => {
    const machineId = await createMachine("order");
    await suite.client.deleteMachine({ machineId, reason: "no longer" });
    await suite.client.deleteMachine({ machineId });
    const { machine } = await suite.client.getMachine({ machineId });
    expect(machine?.status).toBe(MachineStatus.DELETED);
    const { events } = await suite.client.listMachineHistory({ machineId });
    expect(events.filter(({ event }) => event.case === "deleted")).toHaveLength(1);
  });
});

describe("what there is", () => {
  it("is listed by state, status and labels, in pages", async () => {
    const { client } = suite;
    const labels = { shop: "berlin" };
    for (let n = 0; n < 5; n++) await client.createMachine({ workflowId: "order", key: `L-${n}`, labels });
    await client.sendEvent({ workflowId: "order", key: "L-0", event: "pay", data: value({ amount: 0 }) });
    const listed = async (filter: Parameters<typeof client.listMachines>[0]) =>
      (await client.listMachines({ labels, ...filter })).machines.map(({ key }) => key);
    await expect.poll(() => listed({ state: "paid" }), { timeout: 10_000 }).toEqual(["L-0"]);
    expect(await listed({ state: "open", workflowId: "order" })).toEqual(["L-4", "L-3", "L-2", "L-1"]);
    expect(await listed({ status: MachineStatus.FINISHED })).toEqual([]);
    expect(await listed({ labels: { shop: "paris" } })).toEqual([]);
    const first = await client.listMachines({ labels, pageSize: 3 });
    const rest = await client.listMachines({ labels, pageSize: 3, pageToken: first.nextPageToken });
    expect([...first.machines, ...rest.machines].map(({ key }) => key)).toEqual(["L-4", "L-3", "L-2", "L-1", "L-0"]);
    expect(rest.nextPageToken).toBe("");
  });

  it("has a history without gaps, which a watch follows to the end, and which is what is published", async () => {
    const machineId = await createMachine("order");
    const watched: string[] = [];
    const watch = (async () => {
      for await (const { events } of suite.client.watchMachine({ machineId })) {
        for (const { seq, event } of events) watched.push(`${seq} ${event.case}`);
      }
    })();
    await suite.client.sendEvent({ machineId, event: "pay", data: value({ amount: 0 }) });
    await suite.client.sendEvent({ machineId, event: "nothing" });
    await suite.client.sendEvent({ machineId, event: "ship" });
    await watch;
    const { events } = await suite.client.listMachineHistory({ machineId });
    expect(watched).toEqual(events.map(({ seq, event }) => `${seq} ${event.case}`));
    expect(watched).toEqual([
      "1 created",
      "2 transitionTaken",
      "3 eventReceived",
      "4 transitionTaken",
      "5 eventDropped",
      "6 eventReceived",
      "7 transitionTaken",
      "8 finished",
    ]);
    const published = () => suite.published.filter(({ key }) => key === machineId).map(({ headers }) => headers.ce_id);
    await expect.poll(published, { timeout: 10_000 }).toEqual(events.map(({ seq }) => `${machineId}/${seq}`));
  });
});
