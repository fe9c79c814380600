import { create } from "@bufbuild/protobuf";
import { compileDefinition } from "@heddle/language";
import {
  type ValidateDefinitionRequest,
  type ValidateDefinitionResponse,
  ValidateDefinitionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { summaryOf } from "../domain/compiled.ts";
import { toFinding, toSummary } from "../domain/to-proto.ts";

export function validateDefinition(request: ValidateDefinitionRequest): ValidateDefinitionResponse {
  const { plan, summary, findings } = compileDefinition(request.source);
  return create(ValidateDefinitionResponseSchema, {
    valid: plan !== undefined,
    findings: findings.map(toFinding),
    summary: summary === undefined ? undefined : toSummary(summaryOf(summary)),
  });
}
