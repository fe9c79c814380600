import { TaskError } from "@heddle/sdk";
import { createAnthropicProvider } from "./anthropic.ts";
import type { ModelProvider } from "./model-provider.ts";
import { createOpenAiProvider } from "./openai.ts";
import { createScriptedProvider, type Scripts } from "./scripted.ts";

/** One entry under `providers` in the operator's file: a further server, by a name that agents may use. */
export interface ProviderSettings {
  type: "openai" | "anthropic";
  baseUrl: string | undefined;
  apiKey: string | undefined;
}

export interface ProvidersOptions {
  openai: Omit<ProviderSettings, "type">;
  anthropic: Omit<ProviderSettings, "type">;
  /** Further ones by name. */
  others: Readonly<Record<string, ProviderSettings>>;
  scripts: Scripts;
  timeoutMs: number;
}

/** The model servers that agents may ask, by name. */
export interface Providers {
  /** @throws TaskError `agent_invalid` that lists the names, not retryable */
  get(name: string): ModelProvider;
  /** The provider at another address, for agents of the operator's own file. */
  at(name: string, baseUrl: string): ModelProvider;
}

export function createProviders({ openai, anthropic, others, scripts, timeoutMs }: ProvidersOptions): Providers {
  const settings = new Map<string, ProviderSettings>([
    ["openai", { type: "openai", ...openai }],
    ["anthropic", { type: "anthropic", ...anthropic }],
    ...Object.entries(others),
  ]);
  const made = new Map<string, ModelProvider>([["scripted", createScriptedProvider(scripts)]]);

  function at(name: string, baseUrl: string | undefined): ModelProvider {
    const key = baseUrl === undefined ? name : `${name} ${baseUrl}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const found = settings.get(name);
    if (found === undefined) {
      const names = ["scripted", ...settings.keys()].join(", ");
      throw new TaskError("agent_invalid", `there is no provider "${name}"; this worker has ${names}`, {
        retryable: false,
      });
    }
    const create = found.type === "openai" ? createOpenAiProvider : createAnthropicProvider;
    const provider = create({ name, baseUrl: baseUrl ?? found.baseUrl, apiKey: found.apiKey, timeoutMs });
    made.set(key, provider);
    return provider;
  }

  return { get: (name) => at(name, undefined), at };
}
