import { awaitedEventsOf, incidentNodesOf, isHeld, type Program, signalsOf, TELLER } from "./program.ts";
import { UNATTENDED } from "./predict.ts";
import type { Random } from "./random.ts";

/** What the driver does with one execution, decided before the run: the same seed asks the same of the engine. */
export interface ExecutionPlan {
  requestId: string;
  workflowId: string;
  n: number;
  /** The same start is sent a second time, at the same moment: both must get the same execution. */
  isStartedTwice: boolean;
  /** In this order, each after the one before was acknowledged. */
  signals: readonly {
    value: number;
    requestId: string /** Sent once more: it must count once. */;
    isSentTwice: boolean;
  }[];
  /** Told in any order, at once: each has a key of its own. */
  events: readonly PlannedEvent[];
  /** How a person lets each incident go on, in the order in which they come. */
  resolutions: readonly Resolution[];
  /** Suspended for a while, so long after its start was acknowledged. */
  suspension?: { afterMs: number; durationMs: number };
  /** Canceled so long after its start was acknowledged, whatever it does then. */
  cancelAfterMs?: number;
}

export interface PlannedEvent {
  value: number;
  requestId: string;
  /** Published by somebody outside, or emitted by an execution that is started for it. */
  by: "caller" | "execution";
  isSentTwice: boolean;
}

/** The number with which the node goes on, as its output or as what comes of another input. */
export interface Resolution {
  nodeId: string;
  action: "complete" | "retry";
  value: number;
}

/** The executions that emit events for others. Their starts are asked for beside those. */
export function planTellers(plans: readonly ExecutionPlan[]): ExecutionPlan[] {
  return plans.flatMap(({ events }) =>
    events
      .filter(({ by }) => by === "execution")
      .map(({ requestId, value, isSentTwice }) => ({
        ...UNATTENDED,
        requestId,
        workflowId: TELLER,
        n: value,
        isStartedTwice: isSentTwice,
      })),
  );
}

export function planExecutions(
  random: Random,
  programs: readonly Program[],
  count: number,
  run: string,
): ExecutionPlan[] {
  const byId = new Map(programs.map((program) => [program.workflowId, program]));
  const find = (workflowId: string): Program => byId.get(workflowId) as Program;
  return Array.from({ length: count }, (_, index): ExecutionPlan => {
    const program = random.pick(programs);
    const requestId = `${run}-${index}`;
    // One in fifteen of the others is canceled too, at a moment at which it may be over already.
    const isCanceled = isHeld(program, find) || random.oneIn(15);
    return {
      requestId,
      workflowId: program.workflowId,
      n: random.below(1_000),
      isStartedTwice: random.oneIn(8),
      signals: Array.from({ length: signalsOf(program) }, (_signal, signal) => ({
        value: random.below(1_000),
        requestId: `${requestId}-signal-${signal}`,
        isSentTwice: random.oneIn(3),
      })),
      events: Array.from({ length: awaitedEventsOf(program) }, (_event, event) => ({
        value: random.below(1_000),
        requestId: `${requestId}-event-${event}`,
        by: random.oneIn(2) ? ("caller" as const) : ("execution" as const),
        isSentTwice: random.oneIn(3),
      })),
      resolutions: incidentNodesOf(program).map((nodeId) => ({
        nodeId,
        action: random.oneIn(2) ? ("complete" as const) : ("retry" as const),
        value: random.below(1_000),
      })),
      ...(random.oneIn(10) && {
        suspension: { afterMs: random.below(1_500), durationMs: random.between(100, 3_000) },
      }),
      ...(isCanceled && { cancelAfterMs: random.below(4_000) }),
    };
  });
}
