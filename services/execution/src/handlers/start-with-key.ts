import { ExecutionStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { DomainError } from "@heddle/errors";
import {
  FinishedKeyPolicy,
  RunningKeyPolicy,
  type StartExecutionRequest,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { keyReplacementWaitMs } from "../domain/limits.ts";
import { toStatus } from "../domain/to-proto.ts";
import { waitForEnd } from "../domain/wait-for-end.ts";
import { findByWorkflowKey } from "../store/find-by-workflow-key.ts";
import { type ExecutionContext, namespaceOf } from "./context.ts";
import { signalOf } from "./start-signal.ts";

/** Refuses a start, when it is decided, that was allowed on what is no longer so. */
export type CheckStart = () => void;

/** How often a start is judged again when its partition moves under it. */
const MAX_JUDGEMENTS = 5;

/** What a start with a business key comes to: the execution that runs already, or one that `start` has made. */
export async function startWithKey(
  context: ExecutionContext,
  request: StartExecutionRequest,
  start: (check: CheckStart) => Promise<string>,
  signal: AbortSignal,
): Promise<{ id: string; created: boolean }> {
  const { runtime, workflowKeys } = context;
  const namespace = namespaceOf(request);
  const { workflowKey } = request;
  const partition = runtime.partitionOfKey(namespace, workflowKey);
  for (let judgement = 1; ; judgement++) {
    // What is found in the database holds only as long as nobody else can have started something in between.
    const epoch = runtime.epochOf(partition);
    const namesake =
      workflowKeys.latest(namespace, workflowKey) ??
      (await findByWorkflowKey(context.database, namespace, workflowKey));
    const existing = namesake === undefined ? undefined : await judge(context, request, namesake, signal);
    if (existing !== undefined) {
      if (await deliverSignal(context, request, existing)) return { id: existing, created: false };
      // It has ended since: what the policy says of that is to be judged.
      if (judgement < MAX_JUDGEMENTS) continue;
      throw keyChanged();
    }
    const check = (): void => {
      const latest = workflowKeys.latest(namespace, workflowKey);
      if (runtime.epochOf(partition) !== epoch || (latest !== undefined && latest !== namesake)) throw keyChanged();
    };
    try {
      return { id: await start(check), created: true };
    } catch (error) {
      const isChanged = error instanceof DomainError && error.reason === "WORKFLOW_KEY_CHANGED";
      if (!isChanged || judgement === MAX_JUDGEMENTS) throw error;
    }
  }
}

/** The namesake's id when it is to be used; undefined when another one may start. @throws DomainError when it may not */
async function judge(
  context: ExecutionContext,
  request: StartExecutionRequest,
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const execution = await context.runtime.read(id);
  // Purged.
  if (execution === undefined) return undefined;
  const status = toStatus(execution.state.status);
  if (execution.state.endedAt !== undefined) return judgeFinished(request, id, status);
  switch (policyOf(request)) {
    case RunningKeyPolicy.USE_EXISTING:
      return id;
    case RunningKeyPolicy.CANCEL_EXISTING:
    case RunningKeyPolicy.TERMINATE_EXISTING:
      await replace(context, request, id, signal);
      return undefined;
    default:
      throw keyRunning(request, id, "signal or cancel it, or say when_running to use or cancel it");
  }
}

/** Who sends a signal with a start wants it to arrive. */
function policyOf({ whenRunning, signal }: StartExecutionRequest): RunningKeyPolicy {
  const isUnsaid = whenRunning === RunningKeyPolicy.UNSPECIFIED;
  return isUnsaid && signal !== undefined ? RunningKeyPolicy.USE_EXISTING : whenRunning;
}

/** False when it has ended, and takes none any more. */
async function deliverSignal(context: ExecutionContext, request: StartExecutionRequest, id: string): Promise<boolean> {
  const signal = signalOf(request);
  if (signal === undefined) return true;
  try {
    await context.runtime.submit(id, { type: "signal", ...signal });
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.reason === "EXECUTION_FINISHED") return false;
    throw error;
  }
}

function judgeFinished(
  { whenFinished, workflowKey }: StartExecutionRequest,
  id: string,
  status: ExecutionStatus,
): undefined {
  if (whenFinished === FinishedKeyPolicy.UNSPECIFIED || whenFinished === FinishedKeyPolicy.ALLOW) return;
  if (whenFinished === FinishedKeyPolicy.ALLOW_IF_FAILED && status !== ExecutionStatus.COMPLETED) return;
  const ended = ExecutionStatus[status].toLowerCase();
  throw new DomainError({
    kind: "already_exists",
    reason: "WORKFLOW_KEY_USED",
    message: `execution ${id} with the key ${workflowKey} has ${ended === "completed" ? "completed" : `ended as ${ended}`}, and when_finished allows no other; use another key or another policy`,
    metadata: { execution_id: id, workflow_key: workflowKey, status: ended },
  });
}

async function replace(
  context: ExecutionContext,
  request: StartExecutionRequest,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await context.runtime.submit(id, {
      type: request.whenRunning === RunningKeyPolicy.TERMINATE_EXISTING ? "terminate" : "cancel",
      reason: `another execution with the key ${request.workflowKey} starts`,
    });
  } catch (error) {
    if (!(error instanceof DomainError) || error.reason !== "EXECUTION_FINISHED") throw error;
  }
  await waitForEnd(context, id, keyReplacementWaitMs, signal);
  const after = await context.runtime.read(id);
  if (after !== undefined && after.state.endedAt === undefined) {
    throw keyRunning(request, id, "it was canceled and is still cleaning up; try again later");
  }
}

function keyRunning({ workflowKey }: StartExecutionRequest, id: string, remedy: string): DomainError {
  return new DomainError({
    kind: "already_exists",
    reason: "WORKFLOW_KEY_RUNNING",
    message: `execution ${id} with the key ${workflowKey} runs; ${remedy}`,
    metadata: { execution_id: id, workflow_key: workflowKey },
  });
}

function keyChanged(): DomainError {
  const message = "executions with this business key have changed while the start was decided; repeat it";
  return new DomainError({ kind: "aborted", reason: "WORKFLOW_KEY_CHANGED", message });
}
