import kafkajs from "kafkajs";
import { describe, expect, it } from "vitest";
import { createRawEventMessage, type EventMessage } from "../event-message.ts";
import { defaultKafkaBusLimits } from "../limits.ts";
import { createBusMetrics } from "./bus-metrics.ts";
import type { IdempotentSender } from "./idempotent-sender.ts";
import { silentLogger } from "../bus-log.ts";
import { createKafkaPublisher } from "./kafka-publisher.ts";
import type { PendingMessage } from "./publish-queue.ts";

const limits = { ...defaultKafkaBusLimits, retryMinMs: 1, retryMaxMs: 2, requestMaxMessages: 4 };

/** What happens to the requests, one after the other; those beyond go through. */
type Outcome = "acknowledged" | Error | { unanswered: string[] };

function open(outcomes: Outcome[]) {
  const log: string[] = [];
  let underWay = 0;
  const sender: IdempotentSender = {
    async send(messages: readonly PendingMessage[]) {
      underWay += 1;
      if (underWay > 1) throw new Error("two sends at once");
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      const outcome = outcomes.shift() ?? "acknowledged";
      log.push(messages.map(({ message }) => message.headers.ce_id).join(""));
      if (outcome instanceof Error) throw outcome;
      if (outcome === "acknowledged") return [];
      return messages.filter(({ message }) => outcome.unanswered.includes(message.headers.ce_id));
    },
    renew: () => void log.push("renew"),
    close: async () => {},
    destroy: () => {},
  };
  const publisher = createKafkaPublisher({
    sender,
    topics: { knows: () => true, ensure: async () => {}, forget: () => {} },
    parkRefused: undefined,
    metrics: createBusMetrics(undefined),
    logger: silentLogger,
    limits,
  });
  return { publisher, log };
}

const batch = (ids: string): EventMessage[] =>
  ids.split("").map((id) => createRawEventMessage("t", new Uint8Array(), { id, source: "/test", key: "k" }));

const lostAnswer = Object.assign(new kafkajs.KafkaJSNonRetriableError("gave up"), {
  cause: new kafkajs.KafkaJSError("no answer", { retriable: true }),
});
const protocolError = (type: string, retriable: boolean): Error =>
  Object.assign(new kafkajs.KafkaJSNonRetriableError("gave up"), {
    cause: Object.assign(new kafkajs.KafkaJSProtocolError(type), { type, retriable }),
  });

describe("publisher", () => {
  it("sends one request at a time, in the order of the calls, however many wait", async () => {
    const { publisher, log } = open([]);
    await Promise.all([publisher.publish(batch("abcdef")), publisher.publish(batch("g")), publisher.publish([])]);
    expect(log).toEqual(["abcd", "efg"]);
  });

  it("sends the identical batch again when an answer is lost, and nothing else before it", async () => {
    const { publisher, log } = open([lostAnswer, lostAnswer]);
    await Promise.all([publisher.publish(batch("ab")), publisher.publish(batch("c"))]);
    expect(log).toEqual(["abc", "abc", "abc"]);
  });

  it.each([
    ["the broker and it disagree", protocolError("OUT_OF_ORDER_SEQUENCE_NUMBER", false)],
    ["nobody can tell what happened", new TypeError("x is not a function")],
  ])("takes a new producer before it sends anything when %s", async (_, error) => {
    const { publisher, log } = open([error]);
    await publisher.publish(batch("ab"));
    expect(log).toEqual(["ab", "renew", "ab"]);
  });

  it("keeps its producer when the broker asks to try again", async () => {
    const { publisher, log } = open([protocolError("NOT_ENOUGH_REPLICAS", true)]);
    await publisher.publish(batch("ab"));
    expect(log).toEqual(["ab", "ab"]);
  });

  it("sends again what no answer names, although the client calls the request done", async () => {
    const { publisher, log } = open([{ unanswered: ["b", "d"] }, { unanswered: ["d"] }]);
    await publisher.publish(batch("abcd"));
    expect(log).toEqual(["abcd", "bd", "d"]);
  });

  it("finds the message that is too large by halves, refuses its call and goes on", async () => {
    const tooLarge = (): Error => protocolError("MESSAGE_TOO_LARGE", false);
    const { publisher, log } = open([tooLarge(), "acknowledged", tooLarge(), tooLarge()]);
    const [first, second, third] = await Promise.allSettled([
      publisher.publish(batch("ab")),
      publisher.publish(batch("c")),
      publisher.publish(batch("d")),
    ]);
    expect(log.filter((entry) => entry !== "renew")).toEqual(["abcd", "ab", "cd", "c", "d"]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { reason: "EVENT_TOO_LARGE" } });
    expect(third.status).toBe("fulfilled");
  });

  it("rejects all calls when it closes, also while it repeats without end", async () => {
    const { publisher } = open(Array.from({ length: 1_000 }, () => lostAnswer));
    const calls = ["ab", "c"].map((ids) => publisher.publish(batch(ids)));
    const settled = Promise.allSettled(calls);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await publisher.close();
    expect(await settled).toMatchObject([
      { reason: { reason: "SHUTTING_DOWN" } },
      { reason: { reason: "SHUTTING_DOWN" } },
    ]);
    await expect(publisher.publish(batch("d"))).rejects.toThrow("the event bus is closed");
  });
});
