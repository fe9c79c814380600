import { MODULUS, nodeOf, PLANNED_FAILURE, type Program, TRANSLATED_FAILURE } from "./program.ts";

/** How an execution must end. `held`: it does not end by itself. */
export type Outcome =
  | { status: "completed"; output: number }
  | { status: "failed"; failureType: string }
  | { status: "held" };

export interface Circumstances {
  /** Values of the signals in the order in which they were sent. */
  signals: readonly number[];
  /** Values of the events, by their place. */
  events: readonly number[];
  /** Numbers with which its incidents go on. */
  resolutions: readonly number[];
  childOf(nodeId: string): Child;
}

/** What happens to an execution of which nobody outside knows. */
export const UNATTENDED = { signals: [], events: [], resolutions: [] };

/** A sub-workflow: children take no signals, and may have children of their own. */
export interface Child {
  /** Of the version that was active when it started. */
  program: Program;
  childOf: Circumstances["childOf"];
}

/** What a program must give for the input `{ n }`: the model that the run is compared with. */
export function predict(program: Program, n: number, circumstances: Circumstances): Outcome {
  const signals = [...circumstances.signals];
  const events = [...circumstances.events];
  const resolutions = [...circumstances.resolutions];
  let number = n + program.salt;
  for (const [index, stage] of program.stages.entries()) {
    switch (stage.kind) {
      case "add":
      case "slow":
      case "flaky":
      case "hang":
      case "bulk":
        number += stage.by;
        break;
      case "fan":
      case "items": {
        const from = number;
        number = stage.by.reduce((sum, by) => sum + from + by, 0);
        break;
      }
      case "branch":
        number += number > stage.limit ? stage.above : stage.below;
        break;
      case "nap":
      case "tell":
      case "race":
        break;
      case "incident": {
        const resolution = resolutions.shift();
        if (resolution === undefined) return { status: "held" };
        number = resolution;
        break;
      }
      case "signals":
      case "events":
        for (let taken = 0; taken < stage.count; taken++) {
          const value = (stage.kind === "signals" ? signals : events).shift();
          if (value === undefined) return { status: "held" };
          number = (number * 3 + value) % MODULUS;
        }
        break;
      case "child": {
        // No child fails by plan: what a parent makes of that is the engine's own tests' business.
        const child = circumstances.childOf(nodeOf(index));
        const outcome = predict(child.program, number, { ...UNATTENDED, childOf: child.childOf });
        if (outcome.status !== "completed") return outcome;
        number = outcome.output;
        break;
      }
      case "hold":
        return { status: "held" };
      case "caught":
        if (stage.how === "fail") return { status: "failed", failureType: TRANSLATED_FAILURE };
        return { status: "completed", output: stage.how === "fallback" ? number + stage.by : number };
      case "fail":
        return { status: "failed", failureType: PLANNED_FAILURE };
      case "poison":
        return { status: "failed", failureType: "expression" };
    }
  }
  return { status: "completed", output: number };
}
