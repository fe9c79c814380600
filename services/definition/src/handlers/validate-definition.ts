import { create } from "@bufbuild/protobuf";
import {
  type ValidateDefinitionRequest,
  type ValidateDefinitionResponse,
  ValidateDefinitionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { compile } from "../domain/compile.ts";
import { toFinding, toSummary } from "../domain/to-proto.ts";

export function validateDefinition(request: ValidateDefinitionRequest): ValidateDefinitionResponse {
  const { plan, summary, findings } = compile(request.source, request.fileName);
  return create(ValidateDefinitionResponseSchema, {
    valid: plan !== undefined,
    findings: findings.map(toFinding),
    summary: summary === undefined ? undefined : toSummary(summary),
  });
}
