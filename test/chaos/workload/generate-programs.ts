import type { Program, Stage } from "./program.ts";
import type { Random } from "./random.ts";

/** How many programs of each sort a run has. */
const PLAIN = 10;
const PARENTS = 5;

const TASK_STAGES = ["add", "slow", "flaky", "hang", "bulk", "fan", "branch", "nap"] as const;

/**
 * The programs of a run. Plain ones can be sub-workflows of others; those that need a hand from outside (signals, a
 * cancel) or end badly are started directly, but for the held one, whose parents show that a cancel reaches children.
 */
export function generatePrograms(random: Random): Program[] {
  const plain = Array.from({ length: PLAIN }, (_, index) =>
    program(`plain-${index}`, random, () => plainStage(random), random.between(1, 4)),
  );
  const parents = Array.from({ length: PARENTS }, (_, index) => {
    const child = (): Stage => ({ kind: "child", workflowId: random.pick(plain).workflowId });
    const { stages, ...rest } = program(`parent-${index}`, random, () => plainStage(random), random.between(0, 2));
    return { ...rest, stages: shuffled([...stages, ...repeat(random.between(1, 3), child)], random) };
  });
  const grandparent: Program = {
    workflowId: "grandparent",
    salt: random.below(1_000),
    stages: [plainStage(random), { kind: "child", workflowId: random.pick(parents).workflowId }],
  };
  const signaled = [0, 1, 2].map((index) => ({
    workflowId: `signaled-${index}`,
    salt: random.below(1_000),
    stages: shuffled<Stage>([{ kind: "signals", count: random.between(2, 4) }, plainStage(random)], random),
  }));
  const held: Program = {
    workflowId: "held",
    salt: random.below(1_000),
    stages: [plainStage(random), { kind: "hold" }],
  };
  const heldParent: Program = {
    workflowId: "held-parent",
    salt: random.below(1_000),
    stages: [{ kind: "child", workflowId: held.workflowId }, plainStage(random)],
  };
  const failing = (["fail", "poison"] as const).map((kind) => ({
    workflowId: `ends-with-${kind}`,
    salt: random.below(1_000),
    stages: [plainStage(random), { kind }],
  }));
  return [...plain, ...parents, grandparent, ...signaled, held, heldParent, ...failing];
}

function program(workflowId: string, random: Random, stage: () => Stage, length: number): Program {
  return { workflowId, salt: random.below(1_000), stages: repeat(length, stage) };
}

function plainStage(random: Random): Stage {
  const by = random.between(1, 500);
  const kind = random.pick(TASK_STAGES);
  switch (kind) {
    case "add":
    case "hang":
    case "bulk":
      return { kind, by };
    case "slow":
      return { kind, by, durationMs: random.between(50, 1_500) };
    case "flaky":
      return { kind, by, failures: random.between(1, 3) };
    case "fan":
      return { kind, by: repeat(random.between(2, 6), () => random.between(1, 500)) };
    case "branch":
      return { kind, limit: random.between(100, 3_000), above: by, below: random.between(501, 900) };
    case "nap":
      return { kind, durationMs: random.between(50, 3_000) };
  }
}

function repeat<T>(times: number, make: () => T): T[] {
  return Array.from({ length: times }, make);
}

function shuffled<T>(items: T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T);
}
