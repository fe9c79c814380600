import { TaskError, type Handlers, type Json, type JsonObject, type TaskContext } from "@heddle/sdk";
import { AGENT_CACHE_MAX } from "../limits.ts";
import type { Providers } from "../providers/providers.ts";
import { readAgent, type AgentDescription } from "./agent-description.ts";
import type { AgentsFile } from "./agents-file.ts";
import { runAgent } from "./run-agent.ts";
import type { Toolbox } from "./toolbox.ts";

export interface AgentHandlersOptions {
  file: AgentsFile;
  providers: Providers;
  toolbox: Toolbox;
}

/** Handlers for the operator's agents by name, and `*` for those that definitions describe themselves. */
export function createAgentHandlers({ file, providers, toolbox }: AgentHandlersOptions): Handlers {
  const described = new Map<string, AgentDescription>();

  /** Compiling a description costs milliseconds, and the same one comes with every task of its node. */
  function describe(name: string, source: JsonObject): AgentDescription {
    const key = `${name}\n${JSON.stringify(source)}`;
    const known = described.get(key);
    if (known !== undefined) return known;
    const agent = readAgent(name, source, "definition");
    const [oldest] = described.keys();
    if (described.size >= AGENT_CACHE_MAX && oldest !== undefined) described.delete(oldest);
    described.set(key, agent);
    return agent;
  }

  async function handle(input: Json, context: TaskContext): Promise<JsonObject> {
    const { name, agent: source } = context;
    // What the definition says itself is nearer than what the operator says for all.
    const agent = source === undefined ? file.agents.get(name) : describe(name, source);
    if (agent === undefined) throw unknownAgent(name);
    const provider =
      agent.baseUrl === undefined ? providers.get(agent.provider) : providers.at(agent.provider, agent.baseUrl);
    const tools = toolbox.open(agent.name, agent.tools);
    return runAgent({ agent, provider, tools, input, context });
  }

  return Object.fromEntries([...file.agents.keys(), "*"].map((name) => [name, handle]));
}

function unknownAgent(name: string): TaskError {
  return new TaskError(
    "agent_unknown",
    `nobody has described the agent "${name}": declare it under \`agents\` in the definition, or in the worker's HEDDLE_AGENTS_FILE, or start a worker that registers it by name`,
    { retryable: false },
  );
}
