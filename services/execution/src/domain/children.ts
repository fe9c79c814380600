import {
  awaitsChild,
  findClosePolicy,
  type ChildCancellation,
  type ChildObligation,
  type ParentOfExecution,
  type Plan,
} from "@heddle/engine";
import { DomainError, isPassing } from "@heddle/errors";
import type { JournalRuntime } from "@heddle/journal";
import { checkInput, createPauses, type Plans } from "@heddle/journal-service";
import type { Logger } from "@heddle/telemetry";
import { executionNotFound, type Execution, type ExecutionCommand } from "./aggregate.ts";
import { maxChildDepth, retryPauseMs } from "./limits.ts";

/** Sub-workflows: starts what parents wait for, tells parents how it ended, ends what no parent waits for. */
export interface Children {
  /**
   * Idempotent: the child's id is derived from its parent. Goes on trying until the parent has an answer or no longer asks.
   * `since`: offset of the entry with which the parent began to ask, when this process has just committed it.
   */
  start(parentId: string, child: ChildObligation, since?: number): void;
  /** A child has ended: its parent gets the result. */
  finished(childId: string, child: Execution): void;
  /** Tells it to end, and tells its parent that it has, if that waits for it. */
  cancel(parentId: string, child: ChildCancellation): void;
  /** After recovery: ends the execution if it is a child whose parent has ended without being able to say so, and that may not outlive it. */
  adopt(id: string, execution: Execution): void;
  stop(): void;
}

export interface ChildrenOptions {
  runtime(): JournalRuntime<Execution, ExecutionCommand>;
  plans: Plans<Plan>;
  /** Whether an error says that the partition is no longer here: whoever has it now does the rest. */
  hasMoved(error: unknown): boolean;
  logger: Logger;
}

export function createChildren({ runtime, plans, hasMoved, logger }: ChildrenOptions): Children {
  const pauses = createPauses();
  const starting = new Set<string>();
  let stopped = false;

  const tell = (parentId: string, command: ExecutionCommand): void => {
    runtime().submitAll([
      {
        id: parentId,
        command,
        onDone: (error) => {
          // A parent that has ended or has the answer already refuses, which is as good. A lost partition recovers elsewhere.
          if (error !== undefined && !(error instanceof DomainError))
            logger.error({ err: error, parentId }, "a parent could not be told");
        },
      },
    ]);
  };

  const finished = (childId: string, { state }: Execution): void => {
    const { parent } = state;
    if (parent === undefined) return;
    const key = { nodeId: parent.nodeId, childId };
    if (state.status === "completed") {
      const compensable = state.compensates === undefined && (state.compensations?.length ?? 0) > 0;
      const output = state.output ?? null;
      tell(parent.executionId, { type: "complete_child", ...key, output, ...(compensable && { compensable }) });
    } else {
      const failure = state.failure ?? {
        type: "canceled",
        message: `sub-workflow ${childId} was canceled: ${state.reason ?? ""}`,
      };
      tell(parent.executionId, { type: "fail_child", ...key, failure });
    }
  };

  const cancel = (childId: string, reason: string, terminate = false): void => {
    // One that has ended, or never began, refuses; both are as good as canceled.
    const type = terminate ? "terminate" : "cancel";
    runtime().submitAll([{ id: childId, command: { type, reason }, onDone: () => {} }]);
  };

  /**
   * The parent undoes nothing before the child has ended. A child that is there tells its end itself; one that has ended
   * before, or never begins, does not.
   */
  const awaitEnd = async (parentId: string, { nodeId, childId, terminate }: ChildCancellation): Promise<void> => {
    for (let pauseMs: number = retryPauseMs.first; !stopped; pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest)) {
      try {
        cancel(childId, `its parent ${parentId} is to end`, terminate);
        const child = await runtime().read(childId);
        const isDetached = child !== undefined && child.state.parent === undefined;
        if (child?.state.endedAt !== undefined && !isDetached) return finished(childId, child);
        if (child !== undefined && !isDetached) return;
        // It may be on its way. One that was to be detached has nobody to tell of its end.
        if (isDetached || !starting.has(childId)) {
          const failure = { type: "canceled", message: `sub-workflow ${childId} never began` };
          return tell(parentId, { type: "fail_child", nodeId, childId, failure });
        }
      } catch (error) {
        if (hasMoved(error) || !(error instanceof DomainError)) throw error;
      }
      await pauses.pause(pauseMs);
    }
  };

  /**
   * The parent while it waits for the child. One that no longer does has told the child to end, perhaps before that was
   * there: nobody would tell it again.
   */
  const readParent = async (parentId: string, child: ChildObligation): Promise<Execution | undefined> => {
    const parent = await runtime().read(parentId);
    if (parent !== undefined && awaitsChild(parent.plan, parent.state, child.nodeId, child.childId)) return parent;
    if (child.detached && parent !== undefined && hasLetGo(parent, child)) return undefined;
    // If it is there it goes on; if it is not, it does not begin.
    if (child.onParentClose === "leave") return undefined;
    const atOnce = child.onParentClose === "terminate" || parent?.state.isTerminated;
    cancel(child.childId, `its parent ${parentId} has ended`, atOnce);
    return undefined;
  };

  /** What undoes a child's steps runs its version, and gets what it has kept of them. */
  const readCompensated = async ({ compensates }: ChildObligation) => {
    if (compensates === undefined) return undefined;
    const execution = await runtime().read(compensates);
    if (execution === undefined) throw executionNotFound(compensates);
    const { version, input, compensations } = execution.state;
    return { version, start: { input, compensates: { executionId: compensates, records: compensations ?? [] } } };
  };

  const tryStart = async (parentId: string, child: ChildObligation, freshSince?: number): Promise<void> => {
    const parent = await readParent(parentId, child);
    if (parent === undefined) return;
    if (child.depth > maxChildDepth) {
      throw new DomainError({
        kind: "failed_precondition",
        reason: "CHILD_DEPTH_EXCEEDED",
        message: `sub-workflows are nested ${child.depth} deep; at most ${maxChildDepth} are allowed. Does ${child.workflowId} start itself?`,
      });
    }
    const { namespace, labels, traceparent } = parent.state;
    const compensated = await readCompensated(child);
    const { plan, version } = await plans.resolve({
      namespace,
      workflowId: child.workflowId,
      version: compensated?.version ?? child.version ?? 0,
    });
    if (compensated === undefined) checkInput(plan.document, child.input, "input");
    try {
      const start: ExecutionCommand = {
        type: "start",
        plan,
        start: {
          namespace,
          workflowId: child.workflowId,
          version,
          input: child.input,
          requestId: "",
          ...(!child.detached && { parent: parentOf(parentId, child) }),
          depth: child.depth,
          priority: child.priority,
          labels,
          ...(traceparent !== undefined && { traceparent }),
          ...compensated?.start,
        },
      };
      await runtime().submit(child.childId, start, { ...(freshSince !== undefined && { freshSince }) });
    } catch (error) {
      if (!(error instanceof DomainError) || error.reason !== "EXECUTION_ALREADY_STARTED") throw error;
      // It may have ended before this process was there to tell its parent.
      const existing = await runtime().read(child.childId);
      if (child.detached) return letGo(parentId, child);
      if (existing?.state.endedAt !== undefined) finished(child.childId, existing);
      return;
    }
    // It may have ended while the plan was fetched.
    if ((await readParent(parentId, child)) !== undefined && child.detached) letGo(parentId, child);
  };

  /** A detached child is there: its node has what it waits for. */
  const letGo = (parentId: string, { nodeId, childId }: ChildObligation): void =>
    tell(parentId, { type: "complete_child", nodeId, childId, output: { execution_id: childId } });

  const run = async (parentId: string, child: ChildObligation, since?: number): Promise<void> => {
    let freshSince = since;
    for (let pauseMs: number = retryPauseMs.first; !stopped; pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest)) {
      try {
        await tryStart(parentId, child, freshSince);
        return;
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        // Whoever owns the partition now derives the obligation anew.
        if (hasMoved(error)) return;
        if (!isPassing(error)) {
          const failure = { type: error.reason.toLowerCase(), message: error.message, retryable: false };
          tell(parentId, { type: "fail_child", nodeId: child.nodeId, childId: child.childId, failure });
          return;
        }
        logger.warn({ err: error, parentId, childId: child.childId, pauseMs }, "a sub-workflow cannot start yet");
      }
      // It may have begun with the first try, whose answer was lost.
      freshSince = undefined;
      await pauses.pause(pauseMs);
    }
  };

  const endIfOrphaned = async (id: string, { executionId: parentId, nodeId }: ParentOfExecution): Promise<void> => {
    for (let pauseMs: number = retryPauseMs.first; !stopped; pauseMs = Math.min(pauseMs * 2, retryPauseMs.longest)) {
      try {
        const parent = await runtime().read(parentId);
        if (parent?.state.endedAt === undefined) return;
        const atOnce = parent.state.isTerminated || findClosePolicy(parent.plan, nodeId) === "terminate";
        return cancel(id, `its parent ${parentId} has ended`, atOnce);
      } catch (error) {
        // Whoever recovers a partition that is lost asks again. While the database is away nothing is lost, and nobody would.
        if (hasMoved(error) || !isPassing(error)) throw error;
      }
      await pauses.pause(pauseMs);
    }
  };

  return {
    start(parentId, child, since) {
      if (starting.has(child.childId)) return;
      starting.add(child.childId);
      run(parentId, child, since)
        .catch((error: unknown) => {
          logger.error({ err: error, parentId, childId: child.childId }, "a sub-workflow could not be started");
          tell(parentId, {
            type: "fail_child",
            nodeId: child.nodeId,
            childId: child.childId,
            failure: { type: "internal", message: "the sub-workflow could not be started; the server's log says why" },
          });
        })
        .finally(() => starting.delete(child.childId));
    },
    finished,
    cancel(parentId, child) {
      if (!child.isAwaited) return cancel(child.childId, `its parent ${parentId} has ended`, child.terminate);
      awaitEnd(parentId, child).catch((error: unknown) => {
        logger.debug({ err: error, executionId: parentId }, "the end of a sub-workflow could not be awaited here");
      });
    },
    adopt(id, { state }) {
      const { parent } = state;
      if (parent === undefined || parent.outlives) return;
      endIfOrphaned(id, parent).catch((error: unknown) => {
        logger.debug({ err: error, executionId: id }, "the parent of a sub-workflow could not be read");
      });
    },
    stop() {
      stopped = true;
      pauses.end();
    },
  };
}

function parentOf(executionId: string, { nodeId, onParentClose }: ChildObligation): ParentOfExecution {
  return { executionId, nodeId, ...(onParentClose === "leave" && { outlives: true }) };
}

/** The node of a detached child has completed. */
function hasLetGo({ plan, state }: Execution, { nodeId, childId }: ChildObligation): boolean {
  const node = state.nodes[plan.indices.get(nodeId) ?? -1];
  return node?.status === "completed" && node.childId === childId;
}
