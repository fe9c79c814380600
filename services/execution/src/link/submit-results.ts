import { DomainError } from "@heddle/errors";
import type { JournalRuntime, Submission } from "@heddle/journal";
import type { TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { Logger } from "@heddle/telemetry";
import type { Execution, ExecutionCommand } from "../domain/aggregate.ts";
import { parseTaskId, toResultCommand } from "./task-messages.ts";

/** Commands of unknown size count this much beside their payload. */
const COMMAND_OVERHEAD_BYTES = 256;

/**
 * Records a frame of results. Each is done when it is durable, or refused: late and repeated results are, and that is how
 * an attempt has one completion only.
 */
export function submitResults(
  runtime: Pick<JournalRuntime<Execution, ExecutionCommand>, "submitAll">,
  results: readonly TaskResult[],
  done: () => void,
  logger: Logger,
): void {
  const onDone = (error: unknown): void => {
    if (error !== undefined) {
      if (error instanceof DomainError) logger.debug({ reason: error.reason }, error.message);
      else logger.error({ err: error }, "a result could not be recorded");
    }
    done();
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
      onDone,
    });
  }
  if (submissions.length > 0) runtime.submitAll(submissions);
}
