import { type ParentClose, type Program, type Stage, TELLER } from "./program.ts";
import type { Random } from "./random.ts";

/** How many programs of each sort a run has. */
const PLAIN = 10;
const PARENTS = 5;

const TASK_STAGES = ["add", "slow", "flaky", "hang", "bulk", "fan", "branch", "nap", "items"] as const;

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
  const listening = [0, 1].map((index) => ({
    workflowId: `listening-${index}`,
    salt: random.below(1_000),
    stages: shuffled<Stage>([{ kind: "events", count: random.between(2, 4) }, plainStage(random)], random),
  }));
  const teller: Program = { workflowId: TELLER, salt: random.below(1_000), stages: [{ kind: "tell" }] };
  const attended: Program = {
    workflowId: "attended",
    salt: random.below(1_000),
    stages: shuffled<Stage>([{ kind: "incident" }, { kind: "incident" }, plainStage(random)], random),
  };
  // Whoever is left must end by itself; whoever is not must be ended, as it never would.
  const racing = (["cancel", "terminate", "leave"] as const).map((onParentClose) => ({
    workflowId: `racing-${onParentClose}`,
    salt: random.below(1_000),
    stages: shuffled<Stage>(
      [race(random, onParentClose, onParentClose === "leave" ? random.pick(plain) : held), plainStage(random)],
      random,
    ),
  }));
  const caught = (["continue", "fallback", "fail"] as const).map((how): Program => {
    const left = race(random, "leave", random.pick(plain));
    const end: Stage =
      how === "fallback" ? { kind: "caught", how, by: random.between(1, 500) } : { kind: "caught", how };
    return { workflowId: `caught-${how}`, salt: random.below(1_000), stages: [plainStage(random), left, end] };
  });
  const failing = (["fail", "poison"] as const).map((kind) => ({
    workflowId: `ends-with-${kind}`,
    salt: random.below(1_000),
    stages: [plainStage(random), { kind }],
  }));
  const waiting = [...signaled, ...listening, teller, attended];
  return [...plain, ...parents, grandparent, ...waiting, held, heldParent, ...racing, ...caught, ...failing];
}

function race(random: Random, onParentClose: ParentClose, { workflowId }: Program): Stage {
  return { kind: "race", workflowId, onParentClose, durationMs: random.between(20, 800) };
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
    case "items":
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
