import { create, toJson } from "@bufbuild/protobuf";
import { timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  MachineParentKind,
  type StateMachineEvent,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { expect, it } from "vitest";
import { clientOf } from "../../test/client-of.ts";

const ID = "0199aaaa-0000-7000-8000-000000000001";
const at = new Date(1_700_000_000_000);

function event(seq: number, body: StateMachineEvent["event"]) {
  return create(StateMachineEventSchema, {
    machineId: ID,
    seq: BigInt(seq),
    occurredAt: timestampFromDate(at),
    event: body,
  });
}

it("creates once, however often it has to ask, and tells the machine in plain data", async () => {
  const requests: { requestId: string }[] = [];
  const client = clientOf((router) =>
    router.service(StateMachineService, {
      createMachine(request) {
        requests.push(request);
        if (requests.length === 1)
          throw new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
        const { namespace, workflowId, key, context } = request;
        return {
          created: true,
          machine: {
            machineId: ID,
            namespace,
            workflowId,
            version: 2,
            key,
            context,
            status: MachineStatus.ACTIVE,
            configuration: ["waiting"],
            createdAt: timestampFromDate(at),
            lastSeq: 3n,
            parent: { kind: MachineParentKind.EXECUTION, id: ID, name: "node" },
            invocations: [{ invokeId: "ship", state: "waiting", kind: "workflow", token: 1n, startedId: ID }],
          },
        };
      },
    }),
  );
  const machine = await client.machines.create({ workflowId: "order", key: "A-7", context: { total: 3 } });
  expect(machine).toMatchObject({
    namespace: "sales",
    key: "A-7",
    status: "active",
    context: { total: 3 },
    createdAt: at,
    lastSeq: 3,
    parent: { kind: "execution", id: ID, name: "node" },
    invocations: [{ invokeId: "ship", token: 1, startedId: ID }],
  });
  expect(requests[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(requests[1]?.requestId).toBe(requests[0]?.requestId);
});

it("names a machine by its id or by its key", async () => {
  const requests: unknown[] = [];
  const client = clientOf((router) =>
    router.service(StateMachineService, {
      sendEvent(request) {
        requests.push({ ...request, data: toJson(ValueSchema, request.data!) });
        return { machine: { machineId: ID }, handled: request.key !== "" };
      },
    }),
  );
  expect(await client.machines.send({ workflowId: "order", key: "A-7" }, "pay", { amount: 5 })).toMatchObject({
    handled: true,
  });
  expect(await client.machines.send(ID, "pay", null, { requestId: "once" })).toMatchObject({ handled: false });
  expect(requests).toMatchObject([
    { machineId: "", namespace: "sales", workflowId: "order", key: "A-7", event: "pay", data: { amount: 5 } },
    { machineId: ID, event: "pay", data: null, requestId: "once" },
  ]);
});

it("tells events with what actions did, and goes on watching where the stream broke", async () => {
  const asked: bigint[] = [];
  const events = [
    event(1, { case: "created", value: { workflowId: "order", context: payload("{}") } as never }),
    event(2, {
      case: "transitionTaken",
      value: {
        entered: ["waiting"],
        effects: [
          { effect: { case: "timerSet", value: { timerId: "t", dueAtMs: 5n, data: payload("null") } } },
          { effect: { case: "logged", value: { level: "info", message: "hello" } } },
        ],
      } as never,
    }),
    event(3, { case: "finished", value: { output: payload('{"n":1}'), machine: { key: "A-7" } } as never }),
  ];
  const client = clientOf((router) =>
    router.service(StateMachineService, {
      async *watchMachine({ afterSeq }) {
        asked.push(afterSeq);
        yield { events: events.slice(Number(afterSeq), Number(afterSeq) + 2) };
        if (asked.length === 1)
          throw new DomainError({ kind: "unavailable", reason: "SHUTTING_DOWN", message: "draining" });
      },
    }),
  );
  const seen = [];
  for await (const each of client.machines.watch(ID)) seen.push(each);
  expect(asked).toEqual([0n, 2n]);
  expect(seen).toMatchObject([
    { type: "created", seq: 1, occurredAt: at, context: {} },
    {
      type: "transition_taken",
      entered: ["waiting"],
      effects: [
        { type: "timer_set", timerId: "t", dueAtMs: 5, data: null },
        { type: "logged", message: "hello" },
      ],
    },
    { type: "finished", output: { n: 1 }, machine: { key: "A-7" } },
  ]);
});

it("lists with filters, and says what a migration would do", async () => {
  const filters: unknown[] = [];
  const client = clientOf((router) =>
    router.service(StateMachineService, {
      listMachines(request) {
        filters.push(request);
        return request.pageToken === ""
          ? { machines: [{ machineId: "a" }], nextPageToken: "2" }
          : { machines: [{ machineId: "b", status: MachineStatus.FINISHED }] };
      },
      migrateMachine: ({ dryRun }) => ({ machine: { machineId: ID }, obstacles: dryRun ? ["no state x"] : [] }),
    }),
  );
  const found = [];
  for await (const { machineId } of client.machines.list({ state: "waiting", status: "active" })) found.push(machineId);
  expect(found).toEqual(["a", "b"]);
  expect(filters[0]).toMatchObject({ namespace: "sales", state: "waiting", status: MachineStatus.ACTIVE });
  expect(await client.machines.migrate(ID, { version: 2, dryRun: true })).toMatchObject({ obstacles: ["no state x"] });
});

function payload(json: string) {
  return { $typeName: "heddle.common.v1.Payload", form: { case: "json", value: json } } as const;
}
