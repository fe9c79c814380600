import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { create } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import {
  type ListWorkersRequest,
  type ListWorkersResponse,
  ListWorkersResponseSchema,
  type Worker as WorkerMessage,
  WorkerSchema,
  WorkerStatus,
} from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import { kindName } from "../domain/admit.ts";
import type { Worker } from "../domain/model.ts";
import { findNamespace } from "../domain/state.ts";

const DEFAULT_PAGE_SIZE = 100;

const STATUS: Record<Worker["status"], WorkerStatus> = {
  connected: WorkerStatus.CONNECTED,
  draining: WorkerStatus.DRAINING,
  lost: WorkerStatus.LOST,
};

/** Pages by worker id: workers that come and go between two pages move no other. */
export function listWorkers({ state }: SchedulerContext, request: ListWorkersRequest): ListWorkersResponse {
  const after = readToken(request.pageToken);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const namespace = findNamespace(state, request.namespace);
  const workers = [...(namespace?.workers.values() ?? [])]
    .filter(({ id }) => after === undefined || id > after)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = workers.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListWorkersResponseSchema, {
    workers: page.map(toMessage),
    nextPageToken: last === undefined || page.length === workers.length ? "" : writeToken(last.id),
  });
}

function toMessage(worker: Worker): WorkerMessage {
  return create(WorkerSchema, {
    workerId: worker.id,
    namespace: worker.namespace.name,
    status: STATUS[worker.status],
    capabilities: worker.capabilities.map(kindName),
    slots: worker.slots,
    running: worker.leases.size,
    labels: worker.labels,
    client: worker.client,
    connectedAt: timestampFromMs(worker.connectedAtMs),
    lastSeenAt: timestampFromMs(worker.lastSeenAtMs),
    completed: BigInt(worker.completed),
    refused: BigInt(worker.refused),
  });
}

const TOKEN_PREFIX = "w1:";

function writeToken(workerId: string): string {
  return Buffer.from(TOKEN_PREFIX + workerId).toString("base64url");
}

function readToken(token: string): string | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString();
  if (text.startsWith(TOKEN_PREFIX)) return text.slice(TOKEN_PREFIX.length);
  throw new DomainError({
    kind: "invalid_argument",
    reason: "PAGE_TOKEN_INVALID",
    message: "the page token is not one that ListWorkers gave; start again without it",
  });
}
