import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export interface AgentsFile {
  path: string;
  /** Who answers, for people. */
  model: string;
  remove(): Promise<void>;
}

interface Agents {
  agents: Record<string, unknown>[];
}

/** Models to ask when there is a key for them, in this order. */
const MODELS = [
  { key: "ANTHROPIC_API_KEY", provider: "anthropic", model: "claude-haiku-4-5" },
  { key: "OPENAI_API_KEY", provider: "openai", model: "gpt-5-mini" },
];

/** agents.yaml as it is, or a copy of it in which a real model stands in the place of the script. */
export async function prepareAgentsFile(env: NodeJS.ProcessEnv): Promise<AgentsFile> {
  const source = new URL("agents.yaml", import.meta.url);
  const chosen = MODELS.find(({ key }) => env[key]);
  if (chosen === undefined)
    return { path: fileURLToPath(source), model: "scripted answers (no key needed)", remove: async () => {} };
  const { provider } = chosen;
  const model = env["HEDDLE_EXAMPLE_MODEL"] || chosen.model;
  const { agents } = parse(await readFile(source, "utf8")) as Agents;
  const real = agents.map(({ script: _, ...agent }) => ({ ...agent, provider, model }));
  const folder = await mkdtemp(join(tmpdir(), "heddle-agents-"));
  const path = join(folder, "agents.json");
  await writeFile(path, JSON.stringify({ agents: real }));
  return { path, model: `${provider}/${model}`, remove: () => rm(folder, { recursive: true, force: true }) };
}
