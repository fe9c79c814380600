import { create } from "@bufbuild/protobuf";
import {
  type DeleteDefinitionRequest,
  type DeleteDefinitionResponse,
  DeleteDefinitionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { definitionNotFound } from "../domain/errors.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { deleteDefinition as remove } from "../store/delete-definition.ts";
import type { DefinitionContext } from "./context.ts";

export async function deleteDefinition(
  context: DefinitionContext,
  request: DeleteDefinitionRequest,
): Promise<DeleteDefinitionResponse> {
  const namespace = namespaceOf(request);
  const { workflowId } = request;
  const deleted = await remove(context.database, { namespace, workflowId, now: new Date() });
  if (!deleted) throw definitionNotFound(namespace, workflowId);
  context.wakePublisher();
  return create(DeleteDefinitionResponseSchema);
}
