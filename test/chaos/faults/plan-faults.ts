import type { Random } from "../workload/random.ts";
import type { Fault, FaultKind, Targets } from "./fault.ts";

export interface FaultPlanOptions {
  count: number;
  /** Faults begin within this time. */
  windowMs: number;
  kinds: readonly FaultKind[];
  targets: Targets;
}

/**
 * A schedule: spread over the window, and each kind as often as every other (give or take one), in random order. Faults may
 * overlap, which is where the interesting defects are.
 */
export function planFaults(random: Random, { count, windowMs, kinds, targets }: FaultPlanOptions): Fault[] {
  let deck: FaultKind[] = [];
  return Array.from({ length: count }, (_, index) => {
    if (deck.length === 0) deck = [...kinds];
    const kind = deck.splice(random.below(deck.length), 1)[0] as FaultKind;
    const atMs = Math.round(((index + random.below(100) / 100) * windowMs) / count);
    return { atMs, kind, ...describe(kind, random, targets) };
  });
}

function describe(kind: FaultKind, random: Random, targets: Targets): Omit<Fault, "atMs" | "kind"> {
  const { services, workers, databaseWires, commitWires, serviceWires } = targets;
  switch (kind) {
    case "kill-service":
      return { target: random.pick(services), durationMs: random.below(3_000), amount: 0 };
    case "kill-worker":
      return { target: random.pick(workers), durationMs: random.below(3_000), amount: 0 };
    case "pause-service":
      // From shorter than a lease of partitions (1.8 s) to much longer.
      return { target: random.pick(services), durationMs: random.between(500, 7_000), amount: 0 };
    case "pause-worker":
      // Longer than a lease of a task (10 s): it wakes up with results that nobody wants any more.
      return { target: random.pick(workers), durationMs: random.between(11_000, 14_000), amount: 0 };
    case "zombie-worker":
      return { target: "", durationMs: random.between(14_000, 20_000), amount: 0 };
    case "terminate-backends":
      return { target: "", durationMs: 0, amount: random.between(1, 10) };
    case "crash-postgres":
      return { target: "", durationMs: random.below(2_000), amount: 0 };
    case "stop-kafka":
    case "kill-kafka":
    case "pause-kafka":
      return { target: "", durationMs: random.between(500, 6_000), amount: 0 };
    case "repeat-events":
      return { target: "", durationMs: 0, amount: random.between(10, 200) };
    case "poison-events":
      return { target: "", durationMs: 0, amount: random.between(1, 5) };
    case "cut-database":
      return { target: random.pick(databaseWires), durationMs: random.below(3_000), amount: 0 };
    case "delay-database":
      return {
        target: random.pick(databaseWires),
        durationMs: random.between(500, 5_000),
        amount: random.between(5, 200),
      };
    case "swallow-commit":
      return { target: random.pick(commitWires), durationMs: 5_000, amount: 0 };
    case "cut-service":
      return { target: random.pick(serviceWires), durationMs: random.below(3_000), amount: 0 };
    case "delay-service":
      return {
        target: random.pick(serviceWires),
        durationMs: random.between(500, 5_000),
        amount: random.between(5, 200),
      };
    case "swallow-answer":
      return { target: random.pick(serviceWires), durationMs: 5_000, amount: 0 };
  }
}

/** The schedule as a person reads it. */
export function describeFault({ atMs, kind, target, durationMs, amount }: Fault): string {
  const parts = [
    `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${kind}`,
    target,
    durationMs > 0 ? `for ${durationMs} ms` : "",
    amount > 0 ? `(${amount})` : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}
