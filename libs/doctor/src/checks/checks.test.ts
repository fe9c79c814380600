import { describe, expect, it } from "vitest";
import type { ScheduledTask, SuiteFacts } from "../facts.ts";
import { A, B, both, C, findAll, live, NOW, type Parts, stored, suite, TASK } from "./fixtures.ts";
import { CHECKS, runCheck } from "./index.ts";

const waitsForTask = { waits: [{ nodeId: "charge", taskId: TASK, taskOpen: true }] };
const task = (fields: Partial<ScheduledTask> = {}): ScheduledTask => ({
  taskId: TASK,
  shard: 0,
  state: "waiting",
  workerId: "",
  ...fields,
});
const waitsForChild = { waits: [{ nodeId: "kid", childExecutionId: B }] };
const childOfA = { parent: { executionId: A, nodeId: "kid" } };
const merge = (...parts: Parts[]): Parts => ({
  stored: parts.flatMap((part) => part.stored ?? []),
  live: parts.flatMap((part) => part.live ?? []),
  tasks: parts.flatMap((part) => part.tasks ?? []),
});

describe("a suite that keeps its promises", () => {
  const clean: [string, SuiteFacts][] = [
    ["nothing at all", suite({})],
    ["one that has ended", suite({ stored: [stored(A, { ended: true })] })],
    ["one that waits for a signal", suite(both(A))],
    ["one that waits for an event", suite(both(A, { waits: [{ nodeId: "paid", event: "order_paid" }] }))],
    ["one that waits for a task", suite(merge(both(A, waitsForTask), { tasks: [task()] }))],
    [
      "one whose task runs",
      suite(merge(both(A, waitsForTask), { tasks: [task({ state: "running", workerId: "w" })] })),
    ],
    [
      "one that waits for a time",
      suite(both(A, { waits: [{ nodeId: "nap", dueAt: NOW + 9 }], nextTimerAt: NOW + 9, armedTimerAt: NOW + 9 })),
    ],
    ["a timer that is a little late", suite(both(A, { nextTimerAt: NOW - 1_000, armedTimerAt: NOW }))],
    ["a parent and its child", suite(merge(both(A, waitsForChild), both(B, childOfA)))],
    [
      "a child that outlives its parent",
      suite(
        merge({ stored: [stored(A, { ended: true })] }, both(B, { parent: { ...childOfA.parent, outlives: true } })),
      ),
    ],
    ["a suspended one that waits for nothing", suite(both(A, { suspended: true, waits: [] }))],
    [
      "branches that wait",
      suite(
        both(A, {
          waits: [
            { nodeId: "all", branches: true },
            { nodeId: "answer", signal: "go" },
          ],
        }),
      ),
    ],
    ["one that has just ended", suite({ stored: [stored(A)], live: [live(A, { ended: true, waits: [] })] })],
    [
      "chunks one after the other",
      suite({
        stored: [
          stored(A, {
            ended: true,
            history: [
              { first: 1, last: 2 },
              { first: 3, last: 5 },
            ],
          }),
        ],
      }),
    ],
    [
      "more history than the snapshot has seen",
      suite({ stored: [stored(A, { ended: true, history: [{ first: 1, last: 9 }] })] }),
    ],
    ["a journal that overlaps the history", suite(both(A), { unprojected: new Map([[A, [{ first: 4, last: 5 }]]]) })],
    ["one that is in the journal only", suite({}, { unprojected: new Map([[A, [{ first: 1, last: 2 }]]]) })],
    [
      "request ids of two namespaces",
      suite(
        merge(both(A, { requestId: "r" }), both(B, { requestId: "r", namespace: "other" }), {
          stored: [stored(B, { namespace: "other", requestId: "r" })],
        }),
      ),
    ],
    [
      "what nobody could look at",
      suite({ stored: [stored(A)] }, { inspectedPartitions: new Set(), tasksComplete: false }),
    ],
    ["a task of a partition that did not answer", suite({ tasks: [task()] }, { inspectedPartitions: new Set() })],
    [
      "a full worker",
      suite(
        {},
        {
          workers: [
            {
              namespace: "n",
              workerId: "w",
              slots: 2,
              leases: 2,
              capabilities: [{ name: "t", maxConcurrent: 1, running: 1 }],
            },
          ],
        },
      ),
    ],
    [
      "owners that live",
      suite({}, { leases: [{ kind: "shard", number: 3, owner: "s", live: true, epoch: 7, answeredEpoch: 7 }] }),
    ],
    [
      "a publisher that is there",
      suite(
        {},
        {
          progress: [
            { partition: 0, committedOffset: 5, projectedOffset: 9, publishedOffsets: new Map([["events", 5]]) },
          ],
        },
      ),
    ],
    [
      "a group without poison",
      suite({}, { parked: [{ service: "scheduler", group: "g", topic: "t", count: 0, lastError: "" }] }),
    ],
  ];
  it.each(clean)("%s", (_name, facts) => {
    expect(findAll(facts)).toEqual([]);
  });
});

describe("one thing that is wrong", () => {
  const broken: [string, RegExp, SuiteFacts][] = [
    [
      "a lost chunk in the middle",
      /gaps: .* lacks event 3$/,
      suite({
        stored: [
          stored(A, {
            ended: true,
            history: [
              { first: 1, last: 2 },
              { first: 4, last: 5 },
            ],
          }),
        ],
      }),
    ],
    [
      "a lost beginning",
      /gaps: .* lacks events 1 to 3$/,
      suite({ stored: [stored(A, { ended: true, history: [{ first: 4, last: 5 }] })] }),
    ],
    [
      "a lost end",
      /gaps: .* lacks events 4 to 5$/,
      suite({ stored: [stored(A, { ended: true, history: [{ first: 1, last: 3 }] })] }),
    ],
    ["no history", /gaps: .* lacks events 1 to 5$/, suite({ stored: [stored(A, { ended: true, history: [] })] })],
    [
      "a chunk twice",
      /gaps: .* holds events 2 to 3 twice$/,
      suite({
        stored: [
          stored(A, {
            ended: true,
            history: [
              { first: 1, last: 3 },
              { first: 2, last: 5 },
            ],
          }),
        ],
      }),
    ],
    [
      "a gap before the journal",
      /gaps: .* journal lacks event 6$/,
      suite(both(A), { unprojected: new Map([[A, [{ first: 7, last: 8 }]]]) }),
    ],
    [
      "a gap in the journal",
      /gaps: .* journal lacks event 7$/,
      suite(both(A), {
        unprojected: new Map([
          [
            A,
            [
              { first: 6, last: 6 },
              { first: 8, last: 8 },
            ],
          ],
        ]),
      }),
    ],
    [
      "an event twice in the journal",
      /gaps: .* journal holds event 7 twice$/,
      suite(both(A), {
        unprojected: new Map([
          [
            A,
            [
              { first: 6, last: 7 },
              { first: 7, last: 8 },
            ],
          ],
        ]),
      }),
    ],
    [
      "a journal without a beginning",
      /gaps: .* journal lacks event 1$/,
      suite({}, { unprojected: new Map([[A, [{ first: 2, last: 2 }]]]) }),
    ],
    [
      "a snapshot of another history",
      /replay: .* stored snapshot at event 5: \$\.vars/,
      suite({ stored: [stored(A, { ended: true, replay: { reachedSeq: 5, difference: "$.vars.x: 1, not 2" } })] }),
    ],
    [
      "a memory of another history",
      /replay: .* in memory at event 4/,
      suite(both(A, { replay: { reachedSeq: 4, difference: "the history ends at event 4, not 5" } })),
    ],
    [
      "one that is set aside",
      /replay: .* is set aside/,
      suite({ stored: [stored(A)], live: [live(A, { quarantined: true, waits: [] })] }),
    ],
    [
      "a start twice",
      new RegExp(`starts: ${B} request id r .* has started ${A} too`),
      suite(merge(both(A, { requestId: "r" }), both(B, { requestId: "r" }))),
    ],
    [
      "a start twice, one not projected",
      /starts: .* request id r/,
      suite({ stored: [stored(A, { ended: true, requestId: "r" })], live: [live(B, { requestId: "r", lastSeq: 0 })] }),
    ],
    ["a task that the scheduler does not know", /wake-ups: .* charge .* does not know/, suite(both(A, waitsForTask))],
    [
      "a task that its owner has forgotten",
      /wake-ups: .* no longer tells/,
      suite(merge(both(A, { waits: [{ nodeId: "charge", taskId: TASK, taskOpen: false }] }), { tasks: [task()] })),
    ],
    ["a timer that is not set", /wake-ups: .* no timer is set/, suite(both(A, { nextTimerAt: NOW + 9 }))],
    ["one that waits for nothing", /wake-ups: .* no node of it is under way/, suite(both(A, { waits: [] }))],
    [
      "branches that wait for nothing",
      /wake-ups: .* only all, whose branches/,
      suite(both(A, { waits: [{ nodeId: "all", branches: true }] })),
    ],
    ["one that its owner does not have", /wake-ups: .* does not have it in memory/, suite({ stored: [stored(A)] })],
    ["an overdue timer", /timers: .* 31 s ago/, suite(both(A, { nextTimerAt: NOW - 31_000, armedTimerAt: NOW }))],
    [
      "a parent whose child does not exist",
      /children: .* kid waits for child .* does not exist/,
      suite(both(A, waitsForChild)),
    ],
    [
      "a parent that was not told",
      /children: .* has ended: its parent was not told/,
      suite(merge(both(A, waitsForChild), { stored: [stored(B, { ended: true })] })),
    ],
    ["a child without a parent", new RegExp(`children: ${B} .* which does not exist`), suite(both(B, childOfA))],
    [
      "a child whose parent has ended",
      new RegExp(`children: ${B} .* which has ended`),
      suite(merge({ stored: [stored(A, { ended: true })] }, both(B, childOfA))),
    ],
    [
      "a child that nobody waits for",
      new RegExp(`children: ${B} .* does not wait for it`),
      suite(merge(both(A), both(B, childOfA))),
    ],
    [
      "an end with a node under way",
      /leftovers: .* node charge is under way/,
      suite({ stored: [stored(A, { ended: true, activeNodes: ["charge"] })] }),
    ],
    [
      "an end with a timer",
      /leftovers: .* a timer is set/,
      suite({ stored: [stored(A)], live: [live(A, { ended: true, waits: [], armedTimerAt: NOW })] }),
    ],
    [
      "an end that waits",
      /leftovers: .* in memory node answer/,
      suite({ stored: [stored(A)], live: [live(A, { ended: true })] }),
    ],
    [
      "a slot of nobody's",
      new RegExp(`slots: ${A} task .* holds a slot on worker w, and no execution`),
      suite({ stored: [stored(A, { ended: true })], tasks: [task({ state: "running", workerId: "w" })] }),
    ],
    ["a task of an attempt that is over", /slots: .* waits to be run/, suite(merge(both(A), { tasks: [task()] }))],
    [
      "a task twice",
      /slots: .* running in shard 1, waiting in shard 2/,
      suite(merge(both(A, waitsForTask), { tasks: [task({ shard: 1, state: "running" }), task({ shard: 2 })] })),
    ],
    [
      "more tasks than slots",
      /slots: .* has 3 tasks and 2 slots/,
      suite({}, { workers: [{ namespace: "n", workerId: "w", slots: 2, leases: 3, capabilities: [] }] }),
    ],
    [
      "more than a capability takes",
      /slots: .* runs 2 tasks of t and takes 1/,
      suite(
        {},
        {
          workers: [
            {
              namespace: "n",
              workerId: "w",
              slots: 2,
              leases: 2,
              capabilities: [{ name: "t", maxConcurrent: 1, running: 2 }],
            },
          ],
        },
      ),
    ],
    [
      "a partition without an owner",
      /leases: .* partition 3 has no owner/,
      suite({}, { leases: [{ kind: "partition", number: 3, owner: "", live: false, epoch: 7 }] }),
    ],
    [
      "a lease that has run out",
      /leases: .* has run out/,
      suite({}, { leases: [{ kind: "partition", number: 3, owner: "x", live: false, epoch: 7 }] }),
    ],
    [
      "an owner that does not answer",
      /leases: .* does not answer/,
      suite({}, { leases: [{ kind: "shard", number: 3, owner: "x", live: true, epoch: 7 }] }),
    ],
    [
      "two owners",
      /leases: .* epoch 6: there are two owners/,
      suite({}, { leases: [{ kind: "shard", number: 3, owner: "x", live: true, epoch: 7, answeredEpoch: 6 }] }),
    ],
    [
      "a projection that stands still",
      /lag: .* projected up to offset 4/,
      suite({}, { progress: [{ partition: 0, committedOffset: 5, projectedOffset: 4, publishedOffsets: new Map() }] }),
    ],
    [
      "a publisher that stands still",
      /lag: .* publisher events .* offset 4/,
      suite(
        {},
        {
          progress: [
            { partition: 0, committedOffset: 5, projectedOffset: 5, publishedOffsets: new Map([["events", 4]]) },
          ],
        },
      ),
    ],
    [
      "one that cannot be projected",
      /lag: .* stays at event 5/,
      suite({ stored: [stored(C)], live: [live(C, { lastSeq: 6 })] }),
    ],
    [
      "a poison message",
      /poison: .* 2 messages of t .* TypeError/,
      suite({}, { parked: [{ service: "scheduler", group: "g", topic: "t", count: 2, lastError: "TypeError" }] }),
    ],
  ];
  it.each(broken)("%s", (_name, message, facts) => {
    const found = findAll(facts);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it("has a case for every check", () => {
    for (const check of CHECKS) {
      // Those of machines are beside it.
      expect(
        check.id === "machines" || broken.some(([, message]) => message.source.startsWith(`${check.id}:`)),
        check.id,
      ).toBe(true);
    }
  });
});

describe("a finding", () => {
  const gaps = CHECKS[0];
  if (gaps === undefined) throw new Error("there is no check");
  const keyOf = (facts: SuiteFacts): string | undefined => runCheck(gaps, facts, { overdueMs: 0 }).findings[0]?.key;

  it("has the same key when it is found again, and another one when it has moved on", () => {
    const gap = (last: number) =>
      suite({ stored: [stored(A, { ended: true, lastSeq: last + 1, history: [{ first: 1, last }] })] });
    expect(keyOf(gap(4))).toBe(keyOf(gap(4)));
    expect(keyOf(gap(4))).not.toBe(keyOf(gap(3)));
  });

  it("names what must be looked at to find it again", () => {
    const facts = suite(merge(both(A, waitsForChild), both(A, waitsForTask)));
    const findings = CHECKS.flatMap((check) => runCheck(check, facts, { overdueMs: 0 }).findings);
    expect(findings.map(({ executionIds, taskIds }) => ({ executionIds, taskIds }))).toContainEqual({
      executionIds: [A],
      taskIds: [TASK],
    });
    const orphan = CHECKS.flatMap((check) => runCheck(check, suite(both(B, childOfA)), { overdueMs: 0 }).findings);
    expect(orphan[0]?.executionIds).toEqual([B, A]);
  });
});
