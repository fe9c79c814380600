import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { MachineSchema, MachineStatus } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  EventSource,
  MachineParentKind,
  StateMachineEventSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { expect, it } from "vitest";
import { json, startedAtMs } from "../../test/sample.ts";
import { renderMachineEvent, type Runs } from "./describe-machine-event.ts";
import { renderMachine } from "./machine-view.ts";
import { noColors } from "./style.ts";

const ID = "01990f5e-0000-7000-8000-000000000002";

type EventInit = MessageInitShape<typeof StateMachineEventSchema>["event"];

/** Lines of a history whose events are 100 ms apart. */
function linesOf(...events: EventInit[]): string[] {
  const runs: Runs = new Map();
  return events.flatMap((event, index) => {
    const occurredAt = timestampFromMs(startedAtMs + 100 * index);
    const message = create(StateMachineEventSchema, { machineId: ID, seq: BigInt(index + 1), occurredAt, event });
    return renderMachineEvent(message, { createdAtMs: startedAtMs, style: noColors, runs });
  });
}

it("shows a machine with what it waits for and what it has invoked", () => {
  const machine = create(MachineSchema, {
    machineId: ID,
    workflowId: "order",
    version: 2,
    key: "A-7",
    status: MachineStatus.ACTIVE,
    configuration: ["packing", "paid"],
    enabledEvents: ["labelled"],
    context: { total: 5 },
    createdAt: timestampFromMs(startedAtMs),
    nextTimerAt: timestampFromMs(startedAtMs + 62_000),
    queuedEvents: 2,
    parent: { kind: MachineParentKind.MACHINE, id: "m-1", name: "order" },
    invocations: [
      { invokeId: "ship", kind: "workflow", startedId: "e-1" },
      { invokeId: "buyer", kind: "machine", startedId: "" },
    ],
  });
  expect(renderMachine(machine, { style: noColors, nowMs: startedAtMs + 2_000 })).toEqual([
    `order v2  active  2.0s  ${ID}`,
    "  key         A-7",
    "  states      packing, paid",
    "  events      labelled",
    "  timer       in 1m00s",
    "  waiting     2 events",
    "  invoked     ship, a workflow: heddle get e-1",
    "  invoked     buyer, a machine: has not begun yet",
    "  belongs to  invocation order of machine m-1",
    '  context     {"total":5}',
  ]);
});

it("shows why a machine failed", () => {
  const machine = create(MachineSchema, {
    workflowId: "loop",
    version: 1,
    status: MachineStatus.FAILED,
    failure: { type: "livelock", message: "a → b → a\nfor ever" },
  });
  expect(renderMachine(machine, { style: noColors, nowMs: startedAtMs })[1]).toMatch(
    /failure +livelock: a → b → a.for ever/,
  );
});

it("tells a history, with what actions did below what set them off", () => {
  const lines = linesOf(
    { case: "created", value: { workflowId: "order", version: 2, key: "A-7", context: json({ total: 0 }) } },
    { case: "eventReceived", value: { name: "pay", data: json({ amount: 5 }), source: EventSource.OUTSIDE } },
    {
      case: "transitionTaken",
      value: {
        exited: ["open"],
        entered: ["packing"],
        context: json({ total: 5 }),
        effects: [
          {
            effect: { case: "timerSet", value: { timerId: "t", event: "late", dueAtMs: BigInt(startedAtMs + 5_200) } },
          },
          { effect: { case: "logged", value: { level: "warn", message: "one\ntwo" } } },
          { effect: { case: "expressionFailed", value: { path: "states[1].on_enter[0]", message: "no field x" } } },
          {
            effect: {
              case: "messageSent",
              value: {
                name: "hello",
                target: { target: { case: "machine", value: { workflowId: "shop", key: "K" } } },
              },
            },
          },
        ],
      },
    },
    { case: "invocationStarted", value: { invokeId: "ship", kind: "machine", token: 7n, input: json(null) } },
    { case: "invocationAcknowledged", value: { token: 7n, startedId: "m-2" } },
    { case: "eventReceived", value: { name: "done.invoke.ship", source: EventSource.INVOCATION, invokeId: "ship" } },
    { case: "failed", value: { failure: { type: "livelock", message: "a → a" } } },
  );
  expect(lines).toMatchInlineSnapshot(`
    [
      "    0.000s  created                 order v2  A-7  {"total":0}",
      "    0.100s  event                   pay  {"amount":5}",
      "    0.200s  transition              -open +packing  {"total":5}",
      "            timer in 5.0s: late",
      "            warn: one two",
      "            states[1].on_enter[0]: no field x",
      "            sent to machine shop/K: hello  null",
      "    0.300s  invocation started      ship, a machine  null",
      "    0.400s  invocation runs         ship: heddle machine get m-2",
      "    0.500s  event                   done.invoke.ship  null  of ship",
      "    0.600s  failed                  livelock: a → a",
    ]
  `);
});
