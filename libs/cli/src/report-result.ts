import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Batch, BatchStatus } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import { type Execution, ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { CommandContext } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { formatDuration } from "./render/duration.ts";
import { toMs } from "./render/execution-view.ts";
import { paintStatus } from "./render/names.ts";
import { oneLine } from "./render/text-width.ts";

/** Says how an execution ended on stderr, and prints its output on stdout, so that it can be piped on. */
export function reportResult(context: CommandContext, execution: Execution): ExitCode {
  const { status, failure, output, startedAt, endedAt } = execution;
  const style = context.style(context.io.stderr);
  const took = formatDuration((toMs(endedAt) ?? 0) - (toMs(startedAt) ?? 0));
  context.say(`${paintStatus(status, style)} after ${took}`);
  if (failure !== undefined) {
    const where = failure.nodeId ? ` in node ${style.bold(oneLine(failure.nodeId))}` : "";
    context.say(`${style.red(oneLine(failure.type))}${where}: ${oneLine(failure.message)}`);
    context.say(style.dim(`what happened: heddle history ${execution.executionId}`));
  }
  if (output !== undefined) context.printJson(toJson(ValueSchema, output));
  return exitCodeOf(status);
}

/** 0 for a completed execution, 1 for one that ended otherwise. */
export function exitCodeOf(status: ExecutionStatus): ExitCode {
  return status === ExecutionStatus.COMPLETED ? EXIT.ok : EXIT.workflowFailed;
}

/** 0 for a batch that has completed without a failure, 1 when targets have failed or it waits for a person, 6 when it was canceled. */
export function exitCodeOfBatch({ status, failed }: Pick<Batch, "status" | "failed">): ExitCode {
  if (failed > 0n || status === BatchStatus.PAUSED) return EXIT.workflowFailed;
  return status === BatchStatus.COMPLETED ? EXIT.ok : EXIT.refused;
}
