import { create } from "@bufbuild/protobuf";
import { compileDefinition } from "@heddle/language";
import {
  type PublishDefinitionRequest,
  type PublishDefinitionResponse,
  PublishDefinitionResponseSchema,
} from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { definitionInvalid, digestOf, startsOf, summaryOf, typeOf } from "../domain/compiled.ts";
import { namespaceOf } from "../domain/namespace.ts";
import { toDefinition, toFinding, toVersion } from "../domain/to-proto.ts";
import { publishVersion } from "../store/publish-version.ts";
import type { DefinitionContext } from "./context.ts";

export async function publishDefinition(
  context: DefinitionContext,
  request: PublishDefinitionRequest,
): Promise<PublishDefinitionResponse> {
  const { plan, summary, findings } = compileDefinition(request.source);
  if (plan === undefined || summary === undefined) throw definitionInvalid(findings, request.fileName);
  const published = await publishVersion(context.database, {
    namespace: namespaceOf(request),
    workflowId: plan.workflowId,
    type: typeOf(plan),
    name: plan.name ?? "",
    description: plan.description ?? "",
    labels: plan.labels ?? {},
    digest: digestOf(request.source),
    source: request.source,
    planJson: JSON.stringify(plan),
    starts: startsOf(plan),
    summary: summaryOf(summary),
    requestId: request.requestId,
    activate: !request.skipActivation,
    now: new Date(),
  });
  context.wakePublisher();
  return create(PublishDefinitionResponseSchema, {
    definition: toDefinition(published.definition),
    version: toVersion(published.version, published.definition.active_version),
    created: published.created,
    findings: findings.map(toFinding),
  });
}
