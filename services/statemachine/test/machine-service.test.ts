import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ORDER } from "./support/sources.ts";
import { type MachineSuite, startMachineSuite } from "./support/suite.ts";

let suite: MachineSuite;
beforeAll(async () => {
  suite = await startMachineSuite();
  suite.publish(ORDER);
});
afterAll(() => suite.stop());

const value = (json: unknown) => ({ kind: kindOf(json) }) as never;
function kindOf(json: unknown): unknown {
  if (typeof json === "number") return { case: "numberValue", value: json };
  if (typeof json === "string") return { case: "stringValue", value: json };
  const fields = Object.entries(json as object).map(([name, inner]) => [name, value(inner)]);
  return { case: "structValue", value: { fields: Object.fromEntries(fields) } };
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
    const dropped = await client.sendEvent({ machineId, event: "pay", data: value({ amount: 11 }) });
    expect(dropped).toMatchObject({ handled: false, machine: { configuration: ["open"] } });
    const paid = await client.sendEvent({ machineId, event: "pay", data: value({ amount: 12 }) });
    expect(paid).toMatchObject({ handled: true, machine: { configuration: ["paid"] } });
    await client.sendEvent({ machineId, event: "ship" });
    const done = (await client.getMachine({ machineId })).machine!;
    expect(done.status).toBe(MachineStatus.FINISHED);
    expect(toJson(ValueSchema, done.output!)).toEqual({ total: 12 });
  });
});
