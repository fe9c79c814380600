import { create } from "@bufbuild/protobuf";
import {
  type ListDefinitionVersionsRequest,
  type ListDefinitionVersionsResponse,
  ListDefinitionVersionsResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { definitionNotFound } from "../domain/errors.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { toVersion } from "../domain/to-proto.ts";
import { findDefinition } from "../store/find-definition.ts";
import { listVersions } from "../store/list-versions.ts";
import type { DefinitionContext } from "./context.ts";
import { pageSizeOf } from "./page-size.ts";

const BEFORE_ALL = 2 ** 31 - 1;

export async function listDefinitionVersions(
  context: DefinitionContext,
  request: ListDefinitionVersionsRequest,
): Promise<ListDefinitionVersionsResponse> {
  const namespace = namespaceOf(request);
  const filter = { namespace, workflowId: request.workflowId };
  const before = request.pageToken === "" ? BEFORE_ALL : decodePageToken<number>(request.pageToken, filter);
  const definition = await findDefinition(context.database, namespace, request.workflowId);
  if (definition === undefined) throw definitionNotFound(namespace, request.workflowId);
  const pageSize = pageSizeOf(request);
  const rows = await listVersions(context.database, namespace, request.workflowId, before, pageSize + 1);
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListDefinitionVersionsResponseSchema, {
    versions: page.map((row) => toVersion(row, definition.active_version)),
    nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(last.version, filter) : "",
  });
}
