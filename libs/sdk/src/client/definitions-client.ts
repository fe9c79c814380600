import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { DefinitionTypeSchema } from "@heddle/proto/heddle/definition/v1/definition_pb.js";
import { createRpcClient } from "@heddle/rpc";
import { PAGE_SIZE } from "../limits.ts";
import type { CallOptions } from "./call.ts";
import type { ClientContext } from "./context.ts";
import {
  plainDefinition,
  plainFinding,
  plainSummary,
  plainVersion,
  type Definition,
  type DefinitionVersion,
  type Finding,
  type PlanSummary,
} from "./definition.ts";
import { eachItem, type Page } from "./pages.ts";
import { enumValue } from "./plain.ts";
import { present } from "./present.ts";

export interface DefinitionSource {
  /** YAML or JSON text with a `workflow:` root, at most 1 MiB. */
  source: string;
  /** Name to show in findings, e.g. `workflow.yaml`. */
  fileName?: string;
}

export interface PublishRequest extends DefinitionSource {
  requestId?: string;
  /** True: store the version without activating it. Version 1 is always active. */
  skipActivation?: boolean;
}

export interface PublishResult {
  definition: Definition;
  version: DefinitionVersion;
  /** False when the version existed before. */
  created: boolean;
  /** Warnings. */
  findings: Finding[];
}

export interface ValidationResult {
  valid: boolean;
  findings: Finding[];
  /** Absent when it is not valid. */
  summary?: PlanSummary;
}

export interface DefinitionFilter {
  type?: Definition["type"];
  /** Text in the workflow id, name or description, in any case. */
  search?: string;
}

export interface DefinitionsClient {
  /** Stores a source as the next version of its workflow. @throws DomainError `DEFINITION_INVALID` with one violation for each finding */
  publish(request: PublishRequest, options?: CallOptions): Promise<PublishResult>;
  /** Says everything that `publish` would find. */
  validate(request: DefinitionSource, options?: CallOptions): Promise<ValidationResult>;
  /** @throws DomainError `DEFINITION_NOT_FOUND`, `VERSION_NOT_FOUND` */
  getDefinition(
    workflowId: string,
    version?: number,
    options?: CallOptions,
  ): Promise<{ definition: Definition; version: DefinitionVersion }>;
  /** By workflow id. */
  listDefinitions(filter?: DefinitionFilter, options?: CallOptions): AsyncGenerator<Definition, void, undefined>;
  listDefinitionsPage(
    filter?: DefinitionFilter & { pageSize?: number; pageToken?: string },
    options?: CallOptions,
  ): Promise<Page<Definition>>;
  /** Newest first, without sources. */
  listVersions(workflowId: string, options?: CallOptions): AsyncGenerator<DefinitionVersion, void, undefined>;
  /** New executions run this version; running ones keep theirs. */
  activateVersion(workflowId: string, version: number, options?: CallOptions): Promise<Definition>;
  /** New starts are refused; executions that run finish. */
  deleteDefinition(workflowId: string, options?: CallOptions): Promise<void>;
}

export function createDefinitionsClient({ transport, namespace, call }: ClientContext): DefinitionsClient {
  const rpc = createRpcClient(DefinitionService, transport);

  async function listPage(
    {
      type,
      search = "",
      pageSize = PAGE_SIZE,
      pageToken = "",
    }: Parameters<DefinitionsClient["listDefinitionsPage"]>[0] = {},
    options?: CallOptions,
  ): Promise<Page<Definition>> {
    const typeNumber = type === undefined ? 0 : enumValue(DefinitionTypeSchema, type);
    const request = { namespace, type: typeNumber, search, pageSize, pageToken };
    const { definitions, nextPageToken } = await call((attempt) => rpc.listDefinitions(request, attempt), options);
    return { items: definitions.map(plainDefinition), nextPageToken };
  }

  return {
    async publish(request, options) {
      const answer = await call((attempt) => rpc.publishDefinition({ ...request, namespace }, attempt), options);
      return {
        definition: plainDefinition(present(answer.definition)),
        version: plainVersion(present(answer.version)),
        created: answer.created,
        findings: answer.findings.map(plainFinding),
      };
    },
    async validate(request, options) {
      const answer = await call((attempt) => rpc.validateDefinition({ ...request, namespace }, attempt), options);
      return {
        valid: answer.valid,
        findings: answer.findings.map(plainFinding),
        ...(answer.summary && { summary: plainSummary(answer.summary) }),
      };
    },
    async getDefinition(workflowId, version = 0, options) {
      const request = { namespace, workflowId, version };
      const answer = await call((attempt) => rpc.getDefinition(request, attempt), options);
      return {
        definition: plainDefinition(present(answer.definition)),
        version: plainVersion(present(answer.version)),
      };
    },
    listDefinitions: (filter, options) => eachItem((pageToken) => listPage({ ...filter, pageToken }, options)),
    listDefinitionsPage: listPage,
    listVersions: (workflowId, options) =>
      eachItem(async (pageToken) => {
        const request = { namespace, workflowId, pageSize: PAGE_SIZE, pageToken };
        const answer = await call((attempt) => rpc.listDefinitionVersions(request, attempt), options);
        return { items: answer.versions.map(plainVersion), nextPageToken: answer.nextPageToken };
      }),
    async activateVersion(workflowId, version, options) {
      const request = { namespace, workflowId, version };
      const answer = await call((attempt) => rpc.activateDefinitionVersion(request, attempt), options);
      return plainDefinition(present(answer.definition));
    },
    async deleteDefinition(workflowId, options) {
      await call((attempt) => rpc.deleteDefinition({ namespace, workflowId }, attempt), options);
    },
  };
}
