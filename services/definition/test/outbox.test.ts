import type { EventMessage } from "@heddle/events";
import { DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type DefinitionSuite, startDefinitionSuite, workflow } from "./support/suite.ts";

let suite: DefinitionSuite;
beforeEach(async () => {
  suite = await startDefinitionSuite();
});
afterEach(() => suite.stop());

/** Seq of each event of each definition, in the order in which they were first published. */
function firstTimes(published: readonly EventMessage[]): Map<string, number[]> {
  const seqs = new Map<string, number[]>();
  const ids = new Set<string>();
  for (const { key, headers } of published) {
    if (ids.has(headers.ce_id)) continue;
    ids.add(headers.ce_id);
    seqs.set(key, [...(seqs.get(key) ?? []), Number(headers.ce_id.slice(key.length + 1))]);
  }
  return seqs;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

it("publishes what was committed, as CloudEvents", async () => {
  await suite.client.publishDefinition({ namespace: "n", source: workflow("one") });
  await expect.poll(() => suite.published.length).toBe(2);
  expect(suite.published[0]).toMatchObject({
    topic: DefinitionEventSchema.typeName,
    key: "n/one",
    headers: {
      ce_id: "n/one/1",
      ce_source: "/heddle/definition",
      ce_subject: "n/one",
      ce_type: DefinitionEventSchema.typeName,
    },
  });
  expect(suite.eventsOf("one")[0]).toMatchObject({ eventId: "n/one/1", namespace: "n", seq: 1n });
});

it("publishes nothing of a publish that was refused", async () => {
  await suite.client.publishDefinition({ source: workflow("kept"), requestId: "r" });
  await expect(suite.client.publishDefinition({ source: workflow("refused"), requestId: "r" })).rejects.toMatchObject({
    reason: "REQUEST_ID_REUSED",
  });
  await suite.client.publishDefinition({ source: workflow("after") });
  await expect.poll(() => suite.eventsOf("after")).toHaveLength(2);
  expect(suite.eventsOf("refused")).toEqual([]);
});

it("keeps each definition's order without gaps while many change at once", async () => {
  const ids = ["a", "b", "c", "d", "e"];
  await Promise.all(
    ids.flatMap((id) => upTo(6).map((n) => suite.client.publishDefinition({ source: workflow(id, `text ${n}`) }))),
  );
  await expect.poll(() => suite.published.length).toBe(ids.length * 12);
  const offsets = suite.published.map(({ headers }) => Number(headers["heddle-offset"]));
  expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  expect(new Set(offsets).size).toBe(offsets.length);
  for (const id of ids) expect(firstTimes(suite.published).get(`default/${id}`)).toEqual(upTo(12));
});

it("delivers again, in order, what a sink has refused", async () => {
  let refusals = 0;
  suite.setSink(() => {
    refusals += 1;
    throw new Error("the broker is away");
  });
  await suite.client.publishDefinition({ source: workflow("late", "one") });
  await expect.poll(() => refusals).toBeGreaterThan(0);
  suite.setSink(() => undefined);
  await suite.client.publishDefinition({ source: workflow("late", "two") });
  await expect.poll(() => firstTimes(suite.published).get("default/late")).toEqual(upTo(4));
});

it("tries again by itself, with nobody publishing anything more", async () => {
  let refusals = 0;
  suite.setSink(() => {
    refusals += 1;
    if (refusals === 1) throw new Error("the broker is away");
  });
  await suite.client.publishDefinition({ source: workflow("alone") });
  await expect.poll(() => suite.eventsOf("alone"), { timeout: 20_000 }).toHaveLength(2);
});

it("delivers after a restart what was committed before, and nothing that was delivered", async () => {
  await suite.client.publishDefinition({ source: workflow("restarted", "one") });
  await expect.poll(() => suite.published.length).toBe(2);
  suite.setSink(() => {
    throw new Error("the broker is away");
  });
  await suite.client.publishDefinition({ source: workflow("restarted", "two") });
  await suite.restart();
  expect(suite.published).toHaveLength(2);
  suite.setSink(() => undefined);
  await suite.restart();
  await expect
    .poll(() => suite.published.map(({ headers }) => headers.ce_id))
    .toEqual(upTo(4).map((seq) => `default/restarted/${seq}`));
});
