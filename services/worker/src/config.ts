import { bytes, defineConfig, duration, int, list, secret, string, url, type Values } from "@heddle/config";
import { serverSettings, servicePorts } from "@heddle/service-process";
import { HTTP_RESPONSE_MAX_BYTES, HTTP_TIMEOUT_MAX_MS, HTTP_TIMEOUT_MS, MODEL_TIMEOUT_MS } from "./limits.ts";

/** What the built-in worker itself reads, wherever it runs. */
export const workerSettings = {
  HEDDLE_ADDRESS: list({
    doc: "Where the gateway is, or the scheduler itself. Several replicas: a name that resolves to all of them, or several IPv4 addresses.",
    item: { shape: "http://host:port or https://host", pattern: /^https?:\/\/[^\s/,]+\/?$/ },
    default: ["http://127.0.0.1:7233"],
  }),
  HEDDLE_NAMESPACE: string({ doc: "Namespace whose tasks are run.", default: "default" }),
  HEDDLE_WORKER_SLOTS: int({ doc: "Tasks at once.", default: 100, min: 1, max: 100_000 }),
  HEDDLE_WORKER_DRAIN: duration({
    doc: "Time that running tasks have to finish when the worker stops.",
    default: 30_000,
  }),
  HEDDLE_HTTP_ALLOW: list({
    doc: "Hosts, addresses and ranges that the tool http_request may reach although they are not public.",
    default: [],
    example: "127.0.0.1:8080,10.0.0.0/8,crm.internal:443",
  }),
  HEDDLE_HTTP_TIMEOUT: duration({
    doc: "Time for one request of the tool http_request.",
    default: HTTP_TIMEOUT_MS,
    max: HTTP_TIMEOUT_MAX_MS,
  }),
  HEDDLE_HTTP_RESPONSE_MAX: bytes({
    doc: "Largest body that the tool http_request takes.",
    default: HTTP_RESPONSE_MAX_BYTES,
  }),
  HEDDLE_AGENTS_FILE: string({
    doc: "YAML or JSON file of agents and providers that definitions may name.",
    optional: true,
    example: "agents.yaml",
  }),
  HEDDLE_SCRIPT_FILE: string({
    doc: "YAML or JSON file of answers that agents of the provider `scripted` give.",
    optional: true,
    example: "script.yaml",
  }),
  HEDDLE_MODEL_TIMEOUT: duration({ doc: "Time for one call of a model.", default: MODEL_TIMEOUT_MS }),
  HEDDLE_OPENAI_BASE_URL: url({
    doc: "Server of the provider `openai`, when it is not OpenAI's own.",
    optional: true,
    example: "http://localhost:11434/v1",
  }),
  HEDDLE_ANTHROPIC_BASE_URL: url({
    doc: "Server of the provider `anthropic`, when it is not Anthropic's own.",
    optional: true,
  }),
  OPENAI_API_KEY: secret({ doc: "Key for the provider `openai`.", optional: true }),
  ANTHROPIC_API_KEY: secret({ doc: "Key for the provider `anthropic`.", optional: true }),
};

/** Everything that the worker's process reads from the environment. Its port is for probes and Prometheus. */
export const workerConfig = defineConfig({ ...serverSettings(servicePorts.worker), ...workerSettings });

export type WorkerConfig = Values<typeof workerSettings>;

/** @throws DomainError `CONFIG_INVALID` that lists every fault */
export function readConfig(): WorkerConfig {
  return defineConfig(workerSettings).parse(process.env);
}

/** A secret whose variable an operator names in the agents file; `<NAME>_FILE` works as well. */
export function readSecret(name: string): string | undefined {
  return defineConfig({ [name]: secret({ doc: "Key for a provider.", optional: true }) }).parse(process.env)[name];
}
