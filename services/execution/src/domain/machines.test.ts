import type { MachineObligation } from "@heddle/engine";
import { DomainError, type ErrorKind } from "@heddle/errors";
import { createLogger } from "@heddle/telemetry";
import { afterEach, describe, expect, it } from "vitest";
import type { Execution } from "./aggregate.ts";
import { createMachines, type Machines, type MachinesOptions } from "./machines.ts";

const OWED: MachineObligation = {
  nodeId: "watch",
  workflowId: "case",
  context: {},
  events: [],
  requestId: "execution/watch",
};
const WAITING = {
  plan: { indices: new Map([["watch", 0]]) },
  state: { namespace: "default", labels: {}, nodes: [{ status: "waiting" }] },
} as unknown as Execution;

let machines: Machines;
afterEach(() => machines.stop());

/** What the runtime was told, and how often each call was made, of a service that answers as given. */
function open(
  client: Partial<Record<"createMachine" | "deleteMachine", () => Promise<unknown>>>,
  options: object = {},
) {
  const told: unknown[] = [];
  const runtime = {
    read: () => Promise.resolve(WAITING),
    submit: (_: string, command: unknown) => Promise.resolve(told.push(command)),
    ...options,
  };
  machines = createMachines({
    runtime: () => runtime,
    client,
    logger: createLogger({ name: "test", level: "silent" }),
  } as unknown as MachinesOptions);
  return told;
}

function refusal(kind: ErrorKind, reason = "ANY"): DomainError {
  return new DomainError({ kind, reason, message: "no" });
}

/** Fails once, and answers then. */
function after<T>(failure: Error, answer: T): { calls: () => number; call: () => Promise<T> } {
  let calls = 0;
  return { calls: () => calls, call: () => (++calls === 1 ? Promise.reject(failure) : Promise.resolve(answer)) };
}

const CREATED = { machine: { machineId: "m", parent: { id: "execution", name: "watch" } } };

it.each(["PARTITION_NOT_OWNED", "PARTITION_LOST"])(
  "goes on when the other service has no owner for its own partition: %s",
  async (reason) => {
    const { call, calls } = after(refusal("unavailable", reason), CREATED);
    const told = open({ createMachine: call });
    machines.create("execution", OWED);
    await expect.poll(() => told).toEqual([{ type: "acknowledge_machine", nodeId: "watch", machineId: "m" }]);
    expect(calls()).toBe(2);
  },
);

it("leaves the rest to the new owner when its own partition has moved", async () => {
  let reads = 0;
  const read = () => {
    reads += 1;
    return Promise.reject(refusal("unavailable", "PARTITION_NOT_OWNED"));
  };
  open({}, { read });
  machines.create("execution", OWED);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reads).toBe(1);
  // A name begins again only when what was under way of it has given up; it would wait for a second try here.
  machines.create("execution", OWED);
  expect(reads).toBe(2);
});

describe("a refusal that no repetition lifts", () => {
  it.each(["permission_denied", "unauthenticated", "resource_exhausted", "out_of_range", "not_found"] as const)(
    "fails the node: %s",
    async (kind) => {
      const told = open({ createMachine: () => Promise.reject(refusal(kind, "NO_WAY")) });
      machines.create("execution", OWED);
      const failure = { type: "no_way", message: "no", retryable: false };
      await expect.poll(() => told).toEqual([{ type: "fail_machine", nodeId: "watch", failure }]);
    },
  );
});

it("goes on deleting while it is not let in: the machine is still there", async () => {
  const { call, calls } = after(refusal("permission_denied"), {});
  open({ deleteMachine: call });
  machines.cancel("execution", "default", { ...OWED, machineId: "m" });
  await expect.poll(calls).toBe(2);
});
