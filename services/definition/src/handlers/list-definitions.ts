import { create } from "@bufbuild/protobuf";
import {
  type ListDefinitionsRequest,
  type ListDefinitionsResponse,
  ListDefinitionsResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { decodePageToken, encodePageToken } from "@heddle/store";
import { namespaceOf } from "../domain/namespace.ts";
import { toDefinition } from "../domain/to-proto.ts";
import { listDefinitions as query } from "../store/list-definitions.ts";
import type { DefinitionContext } from "./context.ts";
import { pageSizeOf } from "./page-size.ts";

export async function listDefinitions(
  context: DefinitionContext,
  request: ListDefinitionsRequest,
): Promise<ListDefinitionsResponse> {
  const filter = { namespace: namespaceOf(request), type: request.type, search: request.search };
  const after = request.pageToken === "" ? "" : decodePageToken<string>(request.pageToken, filter);
  const pageSize = pageSizeOf(request);
  const rows = await query(context.database, filter, after, pageSize + 1);
  const page = rows.slice(0, pageSize);
  const last = page.at(-1);
  return create(ListDefinitionsResponseSchema, {
    definitions: page.map(toDefinition),
    nextPageToken: rows.length > pageSize && last !== undefined ? encodePageToken(last.workflow_id, filter) : "",
  });
}
