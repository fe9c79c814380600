import { DomainError } from "@heddle/errors";
import type { JournalRuntime, Submission } from "@heddle/journal";
import type { TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { hasMoved } from "@heddle/rpc";
import type { Logger } from "@heddle/telemetry";
import type { Execution, ExecutionCommand } from "../domain/aggregate.ts";
import type { ResultDone } from "./result-frames.ts";
import { parseTaskId, toResultCommand } from "./task-messages.ts";

/** Commands of unknown size count this much beside their payload. */
const COMMAND_OVERHEAD_BYTES = 256;

/** Refusals of a process that stops. What has become of the result, if anything, is known when its partition is taken over. */
const OF_STOPPING: ReadonlySet<string> = new Set(["SHUTTING_DOWN", "COMMIT_OUTCOME_UNKNOWN"]);

/**
 * Records a frame of results. Each is done when it is durable, or refused: late and repeated results are, and that is how
 * an attempt has one completion only. One whose partition has moved away is given back: the next owner gets it from the
 * scheduler, and the worker need not do its work again.
 */
export function submitResults(
  runtime: Pick<JournalRuntime<Execution, ExecutionCommand>, "submitAll">,
  results: readonly TaskResult[],
  done: ResultDone,
  logger: Logger,
): void {
  const onDone = (taskId: string, error: unknown): void => {
    if (error !== undefined) {
      if (error instanceof DomainError) logger.debug({ reason: error.reason }, error.message);
      else logger.error({ err: error }, "a result could not be recorded");
    }
    done(belongsToNextOwner(error) ? taskId : undefined);
  };
  const submissions: Submission<ExecutionCommand>[] = [];
  for (const result of results) {
    const key = parseTaskId(result.taskId);
    if (key === undefined) {
      logger.warn({ taskId: result.taskId }, "a result names no task of an execution");
      done();
      continue;
    }
    const form = result.output?.form;
    submissions.push({
      id: key.executionId,
      command: toResultCommand(key, result) as ExecutionCommand,
      sizeBytes: COMMAND_OVERHEAD_BYTES + (form?.case === "json" ? form.value.length : 0),
      onDone: (error) => onDone(result.taskId, error),
    });
  }
  if (submissions.length > 0) runtime.submitAll(submissions);
}

function belongsToNextOwner(error: unknown): boolean {
  return hasMoved(error) || (error instanceof DomainError && OF_STOPPING.has(error.reason));
}
