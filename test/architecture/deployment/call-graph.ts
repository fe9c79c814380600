import type { SourceTree } from "../source-tree.ts";
import { isTest } from "../rule.ts";
import type { DeployedService } from "./services.ts";

/** One row of deploy/call-graph.yaml. */
export interface CallEdge {
  from: string;
  to: string;
  services: string[];
  by: "call" | "stream" | "delivery";
  why: string;
}

/** Whom the settings of a service let it reach: HEDDLE_<SERVICE>_ADDRESS. A worker is given one address, of either. */
function addressedBy({ name, config }: DeployedService, services: readonly string[]): string[] {
  const settings = Object.keys(config.settings);
  if (settings.includes("HEDDLE_ADDRESS")) return name === "worker" ? ["gateway", "scheduler"] : [];
  return services.filter((other) => settings.includes(`HEDDLE_${other.toUpperCase()}_ADDRESS`));
}

/** Full names of the proto services that a service's own code imports, as `heddle.execution.v1.ExecutionService`. */
export function importedBy(name: string, tree: SourceTree): Set<string> {
  const imported = new Set<string>();
  for (const file of tree.sources) {
    if (!file.path.startsWith(`services/${name}/src/`) || isTest(file.path)) continue;
    for (const { specifier } of file.syntax.imports) {
      const [, folder, stem] = /^@heddle\/proto\/(heddle\/\w+\/v1)\/(\w+)_service_pb\.js$/.exec(specifier) ?? [];
      if (folder !== undefined && stem !== undefined)
        imported.add(`${folder.replaceAll("/", ".")}.${camel(stem)}Service`);
    }
  }
  return imported;
}

/** `statemachine` is one word in files and folders, two in the name of the service. */
function camel(stem: string): string {
  if (stem === "statemachine") return "StateMachine";
  return stem.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** What the edges and the code say of each other, where they differ. Empty when all is well. */
export function compareCallGraph(
  edges: readonly CallEdge[],
  services: readonly DeployedService[],
  imports: (name: string) => ReadonlySet<string>,
): string[] {
  const names = services.map(({ name }) => name);
  const findings: string[] = [];
  for (const { from, to } of edges) {
    for (const name of [from, to])
      if (!names.includes(name)) findings.push(`${from} -> ${to}: there is no services/${name}`);
  }
  for (const service of services) {
    const own = edges.filter(({ from }) => from === service.name);
    const allowed = new Set(own.map(({ to }) => to).filter((to) => to !== service.name));
    const asked = new Set(addressedBy(service, names));
    for (const to of asked) {
      if (!allowed.has(to)) findings.push(`${service.name} asks for the address of ${to}, which it may not call`);
    }
    for (const to of allowed) {
      if (!asked.has(to)) findings.push(`${service.name} may call ${to}, and has no setting for its address`);
    }
    // A worker speaks through the SDK.
    if (service.name === "worker") continue;
    const imported = imports(service.name);
    const may = new Set(own.flatMap((edge) => edge.services));
    const serves = new Set(edges.filter(({ to }) => to === service.name).flatMap((edge) => edge.services));
    for (const name of imported) {
      if (!may.has(name) && !serves.has(name))
        findings.push(`${service.name} imports ${name}, which it neither serves nor may call`);
    }
    for (const name of may) {
      if (!imported.has(name)) findings.push(`${service.name} may call ${name}, and imports no client of it`);
    }
  }
  return findings;
}

/** The first circle of calls between different services, as `a -> b -> a`. Nobody waits for streams and deliveries: they do not count. */
export function findCircle(edges: readonly CallEdge[]): string | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, by } of edges) {
    if (by === "call" && from !== to) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const walk = (path: string[]): string | undefined => {
    const last = path.at(-1) ?? "";
    for (const to of next.get(last) ?? []) {
      if (path.includes(to)) return [...path.slice(path.indexOf(to)), to].join(" -> ");
      const found = walk([...path, to]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const start of next.keys()) {
    const found = walk([start]);
    if (found !== undefined) return found;
  }
  return undefined;
}
