import { DomainError } from "@heddle/errors";
import { expect, it } from "vitest";
import { createRawEventMessage, type EventMessage } from "./event-message.ts";
import { createLane, type Postponement } from "./lane.ts";
import { defaultBusLimits } from "./limits.ts";

const ATTEMPTS = 4;
const limits = { ...defaultBusLimits, deliveryMaxAttempts: ATTEMPTS, redeliveryMinMs: 1, redeliveryMaxMs: 2 };

/** A lane with the messages 0 to `count - 1`, and what became of them once all are handled or parked. */
async function run(count: number, deliver: (number: number) => void) {
  const handled: number[] = [];
  const parked: { number: number; attempts: number }[] = [];
  const postponements: Postponement[] = [];
  const lane = createLane({
    limits,
    owner: () => ({
      async deliver(messages) {
        for (const number of messages.map(numberOf)) {
          deliver(number);
          // A batch of which one failed comes again as a whole.
          if (!handled.includes(number)) handled.push(number);
        }
      },
      park: async (message, attempts) => void parked.push({ number: numberOf(message), attempts }),
      isLeaving: () => false,
    }),
    onPostponed: (postponement) => postponements.push(postponement),
  });
  await new Promise<void>((onSettled) => {
    const receipt = { remaining: 0, onSettled };
    for (let number = 0; number < count; number += 1) lane.push(message(number), receipt);
  });
  lane.close();
  return { handled, parked, postponements };
}

function message(number: number): EventMessage {
  return createRawEventMessage("t", Buffer.from(String(number)), { id: `a/${number}`, source: "/test", key: "a" });
}

function numberOf({ value }: EventMessage): number {
  return Number(Buffer.from(value).toString());
}

function refusal(kind: DomainError["kind"], retryAfterMs?: number): DomainError {
  return new DomainError({ kind, reason: "ANY", message: "no", ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

it.each([
  refusal("unavailable"),
  refusal("deadline_exceeded"),
  refusal("aborted"),
  refusal("resource_exhausted", 1),
  // Longer than the longest pause, which stands.
  refusal("unavailable", 3_600_000),
])(
  "waits at a message through an outage ($kind, $retryAfterMs), parks nothing, and goes on in order",
  async (error) => {
    let deliveries = 0;
    const { handled, parked, postponements } = await run(5, (number) => {
      if (number === 2 && ++deliveries <= 3 * ATTEMPTS) throw error;
    });
    expect(handled).toEqual([0, 1, 2, 3, 4]);
    expect(parked).toEqual([]);
    // The first of these deliveries was one of several messages.
    expect(postponements.map(({ times }) => times)).toEqual(
      Array.from({ length: 3 * ATTEMPTS - 1 }, (_, at) => at + 1),
    );
    expect(postponements[0]).toMatchObject({ error, message: { headers: { ce_id: "a/2" } } });
  },
);

it.each([refusal("resource_exhausted"), refusal("failed_precondition"), new TypeError("x is undefined")])(
  "parks what meets %s again and again, and goes on behind it",
  async (error) => {
    const { handled, parked } = await run(3, (number) => {
      if (number === 1) throw error;
    });
    expect(handled).toEqual([0, 2]);
    expect(parked).toEqual([{ number: 1, attempts: ATTEMPTS }]);
  },
);

it("parks poison also when outages come between its deliveries, and does not count those", async () => {
  let deliveries = 0;
  const { parked, postponements } = await run(1, () => {
    deliveries += 1;
    throw deliveries % 2 === 0 ? new Error("cannot read it") : refusal("unavailable");
  });
  expect(parked).toEqual([{ number: 0, attempts: ATTEMPTS }]);
  expect(deliveries).toBe(2 * ATTEMPTS);
  expect(postponements.map(({ times }) => times)).toEqual(Array.from({ length: ATTEMPTS }, () => 1));
});
