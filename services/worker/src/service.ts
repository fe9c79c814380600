import { readFileSync } from "node:fs";
import { createWorker, type Handlers, type Json, type Worker } from "@heddle/sdk";
import type { ClientTls, RpcTransport } from "@heddle/rpc";
import type { Logger } from "@heddle/telemetry";
import { parse as parseYaml } from "yaml";
import { createAgentHandlers } from "./agents/agent-handlers.ts";
import { NO_AGENTS, readAgentsFile } from "./agents/agents-file.ts";
import { createToolbox } from "./agents/toolbox.ts";
import { readConfig, readSecret, type WorkerConfig } from "./config.ts";
import type { ResolveName } from "./http/destination.ts";
import { objectOf } from "./providers/fields.ts";
import { createProviders } from "./providers/providers.ts";
import { createHttpRequestTool } from "./tools/http-request.ts";
import { transformTool } from "./tools/transform.ts";

export interface CreateWorkerServiceOptions {
  logger: Logger;
  /** A transport of the caller's own, e.g. within the process; default: to `config.HEDDLE_ADDRESS`. */
  transport?: RpcTransport;
  /** For an address of `https://`. */
  tls?: ClientTls;
  /** Default: the environment. */
  config?: WorkerConfig;
  /** In place of config's HEDDLE_HTTP_ALLOW. */
  httpAllow?: readonly string[];
  /** In place of config's HEDDLE_AGENTS_FILE. */
  agentsFile?: string;
  /** In place of config's HEDDLE_SCRIPT_FILE. */
  scriptFile?: string;
  /** Further tools, for tasks and for agents. */
  tools?: Handlers;
  /** Default: the system's resolver. */
  resolve?: ResolveName;
}

export interface WorkerService {
  /** Resolves when the scheduler has welcomed the worker. */
  start(): Promise<void>;
  /** Finishes what runs, within its drain time, and closes. */
  stop(): Promise<void>;
  readonly stats: Worker["stats"];
}

/**
 * The worker that comes with Heddle: the tools `http_request` (also as `http`) and `transform`, the operator's agents, and
 * every agent that a definition describes itself. An ordinary worker of the SDK.
 * @throws DomainError `CONFIG_INVALID`, TypeError or TaskError for files that cannot be used
 */
export function createWorkerService(options: CreateWorkerServiceOptions): WorkerService {
  const config = options.config ?? readConfig();
  const agentsFile = options.agentsFile ?? config.HEDDLE_AGENTS_FILE;
  const scriptFile = options.scriptFile ?? config.HEDDLE_SCRIPT_FILE;
  const file = agentsFile === undefined ? NO_AGENTS : readAgentsFile(readDocument(agentsFile), readSecret);
  const providers = createProviders({
    openai: { baseUrl: config.HEDDLE_OPENAI_BASE_URL, apiKey: config.OPENAI_API_KEY },
    anthropic: { baseUrl: config.HEDDLE_ANTHROPIC_BASE_URL, apiKey: config.ANTHROPIC_API_KEY },
    others: file.providers,
    scripts: scriptFile === undefined ? {} : objectOf(objectOf(readDocument(scriptFile))["agents"]),
    timeoutMs: config.HEDDLE_MODEL_TIMEOUT,
  });
  const http = createHttpRequestTool({
    allow: options.httpAllow ?? config.HEDDLE_HTTP_ALLOW,
    timeoutMs: config.HEDDLE_HTTP_TIMEOUT,
    responseMaxBytes: config.HEDDLE_HTTP_RESPONSE_MAX,
    resolve: options.resolve,
  });
  const tools: Handlers = {
    http_request: http.definition,
    http: http.definition,
    transform: transformTool,
    ...options.tools,
  };
  const worker = createWorker({
    address: config.HEDDLE_ADDRESS.join(","),
    namespace: config.HEDDLE_NAMESPACE,
    slots: config.HEDDLE_WORKER_SLOTS,
    transport: options.transport,
    tls: options.tls,
    logger: options.logger,
    handlers: tools,
    agents: createAgentHandlers({ file, providers, toolbox: createToolbox(tools) }),
  });
  return {
    start: () => worker.start(),
    async stop() {
      await worker.stop({ drainMs: config.HEDDLE_WORKER_DRAIN });
      http.close();
    },
    get stats() {
      return worker.stats;
    },
  };
}

/** JSON is YAML: one parser for both. */
function readDocument(path: string): Json {
  try {
    return parseYaml(readFileSync(path, "utf8"), { maxAliasCount: 100 }) as Json;
  } catch (cause) {
    throw new TypeError(`${path} cannot be read as YAML or JSON: ${(cause as Error).message}`, { cause });
  }
}
