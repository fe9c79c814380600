import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Machine, MachineSchema } from "@heddle/proto/heddle/statemachine/v1/machine_pb.js";
import {
  type ListMachinesRequest,
  type ListMachinesResponse,
  ListMachinesResponseSchema,
} from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { listMachines as query, type MachineRow } from "../store/list-machines.ts";
import { type MachineContext, namespaceOf } from "./context.ts";

const DEFAULT_PAGE_SIZE = 100;

export async function listMachines(
  context: MachineContext,
  request: ListMachinesRequest,
): Promise<ListMachinesResponse> {
  const { workflowId, status, state, key } = request;
  const filter = { namespace: namespaceOf(request), workflowId, status, state, key, labels: { ...request.labels } };
  const before = request.pageToken === "" ? "" : decodePageToken<string>(request.pageToken, filter);
  const pageSize = request.pageSize === 0 ? DEFAULT_PAGE_SIZE : request.pageSize;
  const rows = await query(context.database, filter, before, pageSize + 1);
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListMachinesResponseSchema, {
    machines: page.map(toListed),
    nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(last.machine_id, filter) : "",
  });
}

function toListed(row: MachineRow): Machine {
  return create(MachineSchema, {
    machineId: row.machine_id,
    namespace: row.namespace,
    workflowId: row.workflow_id,
    version: row.version,
    key: row.key,
    status: row.status,
    configuration: row.configuration,
    labels: row.labels,
    createdAt: timestampFromDate(row.created_at),
    finishedAt: row.ended_at === null ? undefined : timestampFromDate(row.ended_at),
    lastSeq: BigInt(row.last_seq),
    failure: row.failure_type === null ? undefined : { type: row.failure_type, message: row.failure_message ?? "" },
    parent: row.parent_kind === 0 ? undefined : { kind: row.parent_kind, id: row.parent_id, name: row.parent_name },
  });
}
