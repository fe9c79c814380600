import type { Lease, LiveExecution, StoredExecution } from "@heddle/doctor";
import { DomainError } from "@heddle/errors";
import { describe, expect, it } from "vitest";
import { examine } from "./examine.ts";
import type { PartitionState, SuiteReader } from "./suite-reader.ts";

const ID = "01a1fde4-0000-7000-8000-000000000000";
const TASK = `${ID}/charge/1`;

interface Scene {
  live?: Partial<LiveExecution>;
  /** How often the scheduler has to be asked until it knows the task. */
  taskKnownAfter?: number;
  ownerAnswers?: boolean;
  publishedOffset?: number;
}

/** A suite of one execution, which waits for a task. */
function createFakeReader({ live = {}, taskKnownAfter = 0, ownerAnswers = true, publishedOffset = 9 }: Scene) {
  const calls = { tasks: 0, replayedIds: [] as string[] };
  const lease: Lease = { kind: "partition", number: 0, owner: "a", live: true, epoch: 3 };
  const partition: PartitionState = {
    lease,
    projectedOffset: 9,
    publishedOffsets: new Map([["events", publishedOffset]]),
  };
  const stored: StoredExecution = {
    executionId: ID,
    namespace: "default",
    ended: false,
    lastSeq: 2,
    requestId: "",
    history: [{ first: 1, last: 2 }],
    activeNodes: ["charge"],
  };
  const execution: LiveExecution = {
    executionId: ID,
    namespace: "default",
    requestId: "",
    lastSeq: 2,
    ended: false,
    suspended: false,
    quarantined: false,
    waits: [{ nodeId: "charge", taskId: TASK, taskOpen: true }],
    ...live,
  };
  const reader: SuiteReader = {
    describePartitions: async () => [partition],
    describeShards: async () => [{ ...lease, kind: "shard" }],
    describeParked: async () => [],
    async inspectPartition(_partition, ids) {
      if (!ownerAnswers) throw new DomainError({ kind: "unavailable", reason: "PARTITION_NOT_OWNED", message: "away" });
      const isAsked = ids === undefined || ids.includes(ID);
      return { observedAt: 1, epoch: 3, headOffset: 9, live: isAsked ? [execution] : [], unprojected: new Map() };
    },
    async inspectShard() {
      const known = calls.tasks++ >= taskKnownAfter;
      return {
        epoch: 3,
        workers: [],
        tasks: known ? [{ taskId: TASK, shard: 0, state: "waiting", workerId: "" }] : [],
      };
    },
    async *scan() {
      yield [stored];
    },
    describeMachinePartitions: async () => [],
    async *scanMachines() {},
    findMachines: async () => [],
    async findStored(ids, { replay }) {
      if (replay) calls.replayedIds.push(...ids);
      return ids.includes(ID) ? [stored] : [];
    },
  };
  return { reader, calls };
}

async function run(scene: Scene, options: { patienceMs?: number; sample?: number } = {}) {
  const { reader, calls } = createFakeReader(scene);
  const { checks, unchecked } = await examine(reader, {
    seed: 1,
    sample: options.sample,
    perSecond: 1_000,
    overdueMs: 1_000,
    patienceMs: options.patienceMs ?? 60,
    signal: new AbortController().signal,
    onProgress() {},
  });
  const found = checks.flatMap(({ id, findings }) => findings.map(({ message }) => `${id}: ${message}`));
  return { checks, unchecked, found, calls };
}

describe("examine", () => {
  it("asks once where nothing looks wrong", async () => {
    const { found, unchecked, calls } = await run({});
    expect({ found, unchecked }).toEqual({ found: [], unchecked: [] });
    expect(calls.tasks).toBe(1);
  });

  it("looks again at what looks wrong, and forgets what has gone", async () => {
    const { found, calls } = await run({ taskKnownAfter: 1 }, { patienceMs: 10_000 });
    expect(found).toEqual([]);
    expect(calls.tasks).toBe(2);
  });

  it("says what is still there when the patience is over", async () => {
    const { found } = await run({ taskKnownAfter: Number.POSITIVE_INFINITY });
    expect(found).toEqual([expect.stringMatching(/^wake-ups: node charge waits for task .* does not know/)]);
  });

  it("counts what could not be looked at, and draws no conclusion from it", async () => {
    const { found, unchecked } = await run({ ownerAnswers: false });
    expect(unchecked).toEqual(["the memory of partition 0: away"]);
    expect(found).toEqual([expect.stringMatching(/^leases: partition 0 .* does not answer for it/)]);
  });

  it("waits for the publisher, and says that it is behind", async () => {
    const { found } = await run({ publishedOffset: 8 });
    expect(found).toEqual([expect.stringMatching(/^lag: publisher events .* offset 8, and .* to 9 /)]);
  });

  it("replays a sample when it is told to", async () => {
    expect((await run({}, { sample: 5 })).calls.replayedIds).toEqual([ID]);
    expect((await run({})).calls.replayedIds).toEqual([]);
  });

  it("says that events were not compared, and counts that as no failure", async () => {
    const { checks, unchecked } = await run({});
    expect(checks.find(({ id }) => id === "outbox")?.unchecked).toContain("--brokers");
    expect(unchecked).toEqual([]);
  });

  it("ends when the person interrupts", async () => {
    const { reader } = createFakeReader({ taskKnownAfter: Number.POSITIVE_INFINITY });
    const interrupt = new AbortController();
    const running = examine(reader, {
      seed: 1,
      perSecond: 1_000,
      overdueMs: 1_000,
      patienceMs: 600_000,
      signal: interrupt.signal,
      onProgress: (what) => what.startsWith("looks again") && interrupt.abort(new Error("interrupted")),
    });
    await expect(running).rejects.toThrow("interrupted");
  });
});
