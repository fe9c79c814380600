import { DomainError } from "@heddle/errors";
import { expect, it } from "vitest";
import { deliverLane } from "./messages.ts";
import type { Outside } from "./outside.ts";

type Runtime = Parameters<typeof deliverLane>[0];

const LANE = "machine/other";
const MESSAGE = { id: 1, name: "hello", data: null, target: { kind: "machine", machineId: "other" } };
const MOVED = ["PARTITION_NOT_OWNED", "PARTITION_LOST"].map(
  (reason) => new DomainError({ kind: "unavailable", reason, message: "the partition is elsewhere" }),
);

/** A machine with one message, until that is acknowledged. */
function runtimeWith(options: Partial<Runtime> = {}): Runtime {
  const messages = [MESSAGE];
  return {
    read: () => Promise.resolve({ state: { messages } }),
    submit: () => Promise.resolve(messages.pop()),
    ...options,
  } as unknown as Runtime;
}

function outsideThat(sendEvent: () => Promise<void>): Outside {
  return { sendEvent } as unknown as Outside;
}

it("delivers what is in the lane", async () => {
  let sent = 0;
  const outside = outsideThat(() => Promise.resolve(void (sent += 1)));
  expect(await deliverLane(runtimeWith(), outside, "m", LANE)).toBe(true);
  expect(sent).toBe(1);
});

it.each(MOVED)("comes again when the partition of the receiver has no owner: $reason", async (moved) => {
  const outside = outsideThat(() => Promise.reject(moved));
  await expect(deliverLane(runtimeWith(), outside, "m", LANE)).rejects.toBe(moved);
});

it.each(MOVED)("leaves the rest to the new owner of its own partition: $reason", async (moved) => {
  const outside = outsideThat(() => Promise.resolve());
  const away = () => Promise.reject(moved);
  expect(await deliverLane(runtimeWith({ read: away }), outside, "m", LANE)).toBe(true);
  expect(await deliverLane(runtimeWith({ submit: away }), outside, "m", LANE)).toBe(true);
});
