import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DomainError } from "@heddle/errors";
import { idTime } from "@heddle/journal";
import type { BatchResolveIncidents } from "@heddle/proto/heddle/execution/v1/batch_pb.js";
import type { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import type { Incident } from "@heddle/proto/heddle/execution/v1/incident_pb.js";
import type { RpcClient } from "@heddle/rpc";
import { incidentsPage } from "../domain/limits.ts";
import type { TargetNeed } from "../store/batches.ts";
import { anyOfFew } from "../store/list-executions.ts";

export interface BatchName {
  id: string;
  /** Of its executions. */
  namespace: string;
}

/** The first moment whose incidents are not meant any more: what a batch has retried may fail again, and must not be retried for ever. */
function openedBefore(batchId: string): number {
  return idTime(batchId) + 1;
}

/** Executions with an incident that is meant. */
export function hasIncidentOf(batchId: string, { failureType, nodeId }: BatchResolveIncidents): TargetNeed {
  return (parameter) => {
    const conditions = [`opened_at < ${parameter(new Date(openedBefore(batchId)).toISOString())}::timestamptz`];
    if (failureType !== "") conditions.push(`failure_type = ${parameter(failureType)}`);
    if (nodeId !== "") conditions.push(`node_id = ${parameter(nodeId)}`);
    return `execution_id = ${anyOfFew(`select execution_id from incidents where ${conditions.join(" and ")}`)}`;
  };
}

/**
 * Resolves those of one execution that are meant, each once: an incident that is opened later by the same node is another one. All are tried, also when
 * one of them cannot be resolved like this.
 * @throws DomainError the first refusal; INCIDENT_NOT_OPEN only when nothing was resolved
 */
export async function resolveIncidents(
  executions: RpcClient<typeof ExecutionService>,
  batch: BatchName,
  { failureType, nodeId, resolution, reason }: BatchResolveIncidents,
  executionId: string,
): Promise<void> {
  let resolved = 0;
  let refusal: DomainError | undefined;
  for await (const incident of listMeant(executions, batch, { failureType, nodeId, executionId })) {
    try {
      const { nodeId: node, openedAt } = incident;
      await executions.resolveIncident({ executionId, nodeId: node, openedAt, resolution, reason });
      resolved += 1;
    } catch (error) {
      if (!(error instanceof DomainError) || !isRefusal(error)) throw error;
      // Somebody was quicker, or the end of the execution, which may be what the one before has led to.
      if (error.reason !== "INCIDENT_NOT_OPEN" && error.reason !== "EXECUTION_FINISHED") refusal ??= error;
    }
  }
  if (refusal !== undefined) throw refusal;
  if (resolved === 0) throw nothingOpen(executionId);
}

/** The list is behind by a moment and knows all that was opened before the batch: whoever created it has waited for that. */
async function* listMeant(
  executions: RpcClient<typeof ExecutionService>,
  { id, namespace }: BatchName,
  filter: { failureType: string; nodeId: string; executionId: string },
): AsyncIterable<Incident> {
  const request = { ...filter, namespace, openedBefore: timestampFromMs(openedBefore(id)), pageSize: incidentsPage };
  for (let pageToken = ""; ; ) {
    const page = await executions.listIncidents({ ...request, pageToken });
    yield* page.incidents;
    pageToken = page.nextPageToken;
    if (pageToken === "") return;
  }
}

/** An answer about the incident, and not that nobody could be asked. */
function isRefusal({ kind }: DomainError): boolean {
  return kind === "failed_precondition" || kind === "invalid_argument";
}

function nothingOpen(executionId: string): DomainError {
  return new DomainError({
    kind: "failed_precondition",
    reason: "INCIDENT_NOT_OPEN",
    message: `no incident of execution ${executionId} that is meant is open any more`,
    metadata: { execution_id: executionId },
  });
}
