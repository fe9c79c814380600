import { isHeld, signalsOf, type Program } from "./program.ts";
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
  /** Suspended for a while, so long after its start was acknowledged. */
  suspension?: { afterMs: number; durationMs: number };
  /** Canceled so long after its start was acknowledged, whatever it does then. */
  cancelAfterMs?: number;
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
      ...(random.oneIn(10) && {
        suspension: { afterMs: random.below(1_500), durationMs: random.between(100, 3_000) },
      }),
      ...(isCanceled && { cancelAfterMs: random.below(4_000) }),
    };
  });
}
