import { create, fromJson, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { answerQuery, type Json } from "@heddle/engine";
import {
  type QueryExecutionRequest,
  type QueryExecutionResponse,
  QueryExecutionResponseSchema,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { checkInteraction } from "./check-interaction.ts";
import { type ExecutionContext, readExecution } from "./context.ts";
import { withTarget } from "./target.ts";

/** Evaluated against the owner's state, or the last one of an execution that has ended. */
export async function queryExecution(
  context: ExecutionContext,
  request: QueryExecutionRequest,
): Promise<QueryExecutionResponse> {
  const { name } = request;
  const args: Json = request.args === undefined ? null : toJson(ValueSchema, request.args);
  return await withTarget(context, request, async (executionId) => {
    const { plan, state } = await readExecution(context, executionId);
    checkInteraction(`query ${name} of ${plan.document.workflowId}`, plan.queries.get(name)?.definition, args, "args");
    const output = answerQuery(plan, state, { executionId, name, args });
    return create(QueryExecutionResponseSchema, { output: fromJson(ValueSchema, output), executionId });
  });
}
