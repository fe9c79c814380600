import { describe, expect, it } from "vitest";
import { createOutboxCheck, type OutboxOptions, type OutboxResult } from "./outbox.ts";

const ID = "01a1fde4-0000-7000-8000-000000000000";
const STARTED_AT = 0x01a1fde40000;
const NOTHING_DROPPED: OutboxOptions = { droppedUntil: () => undefined };

/** What is said of one execution with so many committed events, of which these were published in this order. */
function examine(
  committed: number,
  seqs: readonly number[],
  options: OutboxOptions = NOTHING_DROPPED,
  since = 0,
): OutboxResult & { keys: string[] } {
  const check = createOutboxCheck();
  for (const seq of seqs) check.add({ executionId: ID, seq });
  const of = (seq: number): Map<string, number> => new Map(seq === 0 ? [] : [[ID, seq]]);
  const result = check.finish(of(committed), of(since), options);
  return { ...result, keys: result.findings.map(({ key }) => key.slice(ID.length + 1)) };
}

describe("events that are as they should be", () => {
  it.each<[string, number, number[]]>([
    ["all, in order", 3, [1, 2, 3]],
    ["nothing of nothing", 0, []],
    ["some again after a crash", 4, [1, 2, 3, 2, 3, 4]],
  ])("%s", (_name, committed, seqs) => {
    expect(examine(committed, seqs).keys).toEqual([]);
  });

  it("counts those that came twice", () => {
    expect(examine(4, [1, 2, 3, 2, 3, 4])).toMatchObject({ published: 6, duplicates: 2 });
  });

  it("lets an execution go on while it is looked at", () => {
    const check = createOutboxCheck();
    for (const seq of [1, 2, 3]) check.add({ executionId: ID, seq });
    expect(check.ahead(new Map([[ID, 2]]))).toEqual([ID]);
    expect(check.ahead(new Map([[ID, 3]]))).toEqual([]);
    expect(examine(2, [1, 2, 3], NOTHING_DROPPED, 3).keys).toEqual([]);
    expect(examine(0, [1, 2, 3], NOTHING_DROPPED, 4).keys).toEqual([]);
  });
});

describe("events that are not", () => {
  it.each<[string, number, number[], string]>([
    ["nothing was published", 3, [], "unpublished"],
    ["the beginning is missing", 3, [2, 3], "no-beginning"],
    ["one in the middle is missing", 3, [1, 3], "gap"],
    ["the end is missing", 3, [1, 2], "no-end"],
    ["one is late", 3, [1, 3, 2], "order"],
    ["the first one is late", 3, [2, 1, 3], "order"],
    ["one is not committed", 2, [1, 2, 3], "uncommitted"],
    ["there is no such execution", 0, [1], "uncommitted"],
  ])("%s", (_name, committed, seqs, key) => {
    expect(examine(committed, seqs).keys).toEqual([key]);
  });
});

describe("what retention has dropped", () => {
  const later: OutboxOptions = { droppedUntil: () => STARTED_AT + 1 };
  const earlier: OutboxOptions = { droppedUntil: () => STARTED_AT - 1 };

  it("is not missed, and counted", () => {
    expect(examine(3, [], later)).toMatchObject({ keys: [], dropped: 1 });
    expect(examine(3, [2, 3], later)).toMatchObject({ keys: [], dropped: 1 });
    expect(examine(3, [1, 2, 3], later)).toMatchObject({ keys: [], dropped: 0 });
  });

  it("is missed when the execution began after the oldest event", () => {
    expect(examine(3, [], earlier).keys).toEqual(["unpublished"]);
    expect(examine(3, [2, 3], earlier).keys).toEqual(["no-beginning"]);
  });

  it("excuses no gap and no missing end", () => {
    expect(examine(5, [2, 3, 5], later).keys).toEqual(["gap"]);
    expect(examine(5, [2, 3], later).keys).toEqual(["no-end"]);
  });
});
