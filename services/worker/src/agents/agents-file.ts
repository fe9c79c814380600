import type { Json, JsonObject } from "@heddle/sdk";
import { objectOf } from "../providers/fields.ts";
import type { ProviderSettings } from "../providers/providers.ts";
import { readAgent, type AgentDescription } from "./agent-description.ts";

/** What an operator declares for all definitions. */
export interface AgentsFile {
  agents: ReadonlyMap<string, AgentDescription>;
  providers: Readonly<Record<string, ProviderSettings>>;
}

export const NO_AGENTS: AgentsFile = { agents: new Map(), providers: {} };

/**
 * Reads the content of the operator's file: `agents` (a list, or an object by id) and `providers` (an object by name:
 * `{ type, base_url, api_key_env }`). `readSecret` gives the key that a variable of the environment holds.
 * @throws TypeError or TaskError that says what is wrong with which entry
 */
export function readAgentsFile(content: Json, readSecret: (name: string) => string | undefined): AgentsFile {
  const { agents = [], providers = {}, ...others } = objectOf(content);
  const unknown = Object.keys(others);
  if (unknown.length > 0)
    throw new TypeError(`"${unknown[0]}" is no part of an agents file; it has \`agents\` and \`providers\``);
  return {
    agents: new Map(entriesOf(agents).map(([id, source]) => [id, readAgent(id, source, "operator")])),
    providers: Object.fromEntries(
      Object.entries(objectOf(providers)).map(([name, source]) => [
        name,
        readProvider(name, objectOf(source), readSecret),
      ]),
    ),
  };
}

function entriesOf(agents: Json): [string, JsonObject][] {
  if (!Array.isArray(agents)) return Object.entries(objectOf(agents)).map(([id, source]) => [id, objectOf(source)]);
  return agents.map((source, index) => {
    const agent = objectOf(source);
    const { id } = agent;
    if (typeof id !== "string" || id === "") throw new TypeError(`agent ${index + 1} of the agents file has no \`id\``);
    return [id, agent];
  });
}

function readProvider(
  name: string,
  source: JsonObject,
  readSecret: (name: string) => string | undefined,
): ProviderSettings {
  const { type, base_url: baseUrl, api_key_env: keyName, ...others } = source;
  const fault = (what: string) => new TypeError(`the provider "${name}" of the agents file is wrong: ${what}`);
  if (type !== "openai" && type !== "anthropic")
    throw fault("`type` must be openai (for every compatible server) or anthropic");
  if (typeof baseUrl !== "string" || !/^https?:\/\//.test(baseUrl))
    throw fault("`base_url` must begin with http:// or https://");
  if (keyName !== undefined && typeof keyName !== "string")
    throw fault("`api_key_env` must name a variable of the environment");
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw fault(`it has no field "${unknown}"; keys are named by \`api_key_env\`, never written down`);
  const apiKey = keyName === undefined ? undefined : readSecret(keyName);
  if (keyName !== undefined && apiKey === undefined) throw fault(`neither ${keyName} nor ${keyName}_FILE is set`);
  return { type, baseUrl, apiKey };
}
