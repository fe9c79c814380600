import type { HumanNode, PlanNode, PlanNodeBase, RetryPolicy } from "../../src/index.ts";
import { TEST_RETRY } from "./plan-text.ts";
import type { Random } from "./random.ts";

export function makeHuman(random: Random, isCalm: boolean): Omit<HumanNode, keyof PlanNodeBase> {
  const deadline = random.pick([2_000, "5s", "1970-01-01T00:00:09Z"]);
  // What several people answer is never one person's.
  const isVote = random.chance(0.3);
  return {
    kind: "human",
    title: "for ${execution.id}",
    groups: random.pick([[], ["g"], ["g", "h"]]),
    ...(!isVote && random.chance(0.3) && { assignee: "ann" }),
    ...(random.chance(0.3) && { form: { required: ["ok"] } }),
    ...(random.chance(0.3) && { data: "${input}" }),
    ...(random.chance(0.2) && { proposed: { n: "${input.n}", list: [1, 2] } }),
    ...(random.chance(0.5) && { deadline }),
    ...((isCalm || random.chance(0.7)) && { defaultAnswer: { ok: false } }),
    ...(random.chance(0.4) && {
      escalation: [
        { ...(!isVote && { assignee: "bob" }), deadline: "1s" },
        { groups: ["h"], deadline: 500 },
      ],
    }),
    ...(isVote && { quorum: { of: 3, need: 1 + random.below(3), ...(random.chance(0.6) && { field: "ok" }) } }),
  };
}

export function makeRetry(random: Random): RetryPolicy {
  const policy = { ...TEST_RETRY, maxAttempts: 1 + random.below(3), jitter: random.next() };
  if (random.chance(0.7)) return policy;
  const { nonRetryable: _, ...times } = policy;
  return {
    ...policy,
    ...(random.chance(0.5) && { maxElapsedMs: random.below(3_000) }),
    rules: [
      { ...times, types: ["http_error"], maxAttempts: 4, initialIntervalMs: 50 },
      { ...times, class: "business", when: "error.details.again", maxAttempts: 2 },
      { ...times, when: "error.message == 'slow' && input.flag", maxAttempts: 1 },
    ],
  };
}

type Wait = Partial<Extract<PlanNode, { action: "wait" }>>;

export function makeWait(random: Random, isCalm: boolean): Wait {
  const signal = {
    signal: random.pick(["go", "stop"]),
    ...(random.chance(0.4) && { key: random.pick(["${input.n}", "x"]) }),
  };
  const duration = random.below(5_000);
  const bounded = { ...signal, duration: duration + 3_000 };
  return random.pick<Wait>([
    { duration },
    signal,
    {
      event: "done",
      ...(random.chance(0.3) && { key: "x" }),
      ...(random.chance(0.3) && { filter: "event.payload != 2" }),
    },
    { ...bounded, onTimeout: "continue" as const },
    isCalm ? {} : { ...bounded, onTimeout: "fail" as const },
  ]);
}
