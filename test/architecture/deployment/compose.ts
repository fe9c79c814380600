import { parse } from "yaml";
import type { DeployedService } from "./services.ts";

export interface ComposeFile {
  services: Record<string, ComposeService>;
}

interface ComposeService {
  image?: string;
  build?: { dockerfile: string; target: string };
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { disable?: boolean };
}

/** One stage of a Dockerfile with what it sets. */
export interface Stage {
  base: string;
  env: Record<string, string>;
  exposed: number[];
  user: string | undefined;
  healthcheck: string | undefined;
}

const MIGRATE = "-migrate";

/** The file as Docker reads it: merge keys joined, variables of the caller replaced by their defaults. */
export function parseCompose(text: string): ComposeFile {
  return parse(text.replaceAll(/\$\{\w+:-([^}]*)\}/g, "$1"), { merge: true }) as ComposeFile;
}

export function parseDockerfile(text: string): Map<string, Stage> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const line of text.split("\n")) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined && name !== undefined) {
      const from = stages.get(base);
      stage = { base, env: { ...from?.env }, exposed: [], user: from?.user, healthcheck: from?.healthcheck };
      stages.set(name, stage);
    }
    if (stage === undefined) continue;
    for (const [, key = "", value = ""] of /^ENV (.*)$/.exec(line)?.[1]?.matchAll(/(\w+)=(\S+)/g) ?? [])
      stage.env[key] = value;
    const port = /^EXPOSE (\d+)$/.exec(line)?.[1];
    if (port !== undefined) stage.exposed.push(Number(port));
    stage.user = /^USER (\S+)$/.exec(line)?.[1] ?? stage.user;
    stage.healthcheck = /^HEALTHCHECK (.*)$/.exec(line)?.[1] ?? stage.healthcheck;
  }
  return stages;
}

/** Where the compose file and the images are not what the services need. Empty when all is well. */
export function compareCompose(
  compose: ComposeFile,
  stages: ReadonlyMap<string, Stage>,
  services: readonly DeployedService[],
): string[] {
  const findings: string[] = [];
  for (const { name, config } of services) {
    const stage = stages.get(name);
    if (stage === undefined) {
      findings.push(`the Dockerfile has no target ${name}`);
      continue;
    }
    findings.push(...checkImage(name, stage));
    // Without it a topic that is missing is made by nobody, where brokers make none by themselves.
    if ("KAFKA_BROKERS" in config.settings && stage.env["HEDDLE_TOPICS_FILE"] !== "/app/topics.yaml")
      findings.push(`the image of ${name} does not say where its topics are (HEDDLE_TOPICS_FILE)`);
    const isStateful = "DATABASE_URL" in config.settings;
    const wanted = isStateful ? [name, `${name}${MIGRATE}`] : [name];
    for (const entry of wanted) {
      const deployed = compose.services[entry];
      if (deployed === undefined) findings.push(`compose has no service ${entry}`);
      else findings.push(...checkService(entry, deployed, { name, config }, stage));
    }
    const migration = compose.services[name]?.depends_on?.[`${name}${MIGRATE}`]?.condition;
    if (isStateful && migration !== "service_completed_successfully") {
      findings.push(`${name} does not wait for the end of ${name}${MIGRATE}`);
    }
  }
  findings.push(...checkReferences(compose, stages));
  for (const entry of Object.keys(compose.services)) {
    const known = services.some(({ name }) => entry === name || entry === `${name}${MIGRATE}`);
    if (!known && compose.services[entry]?.build !== undefined)
      findings.push(`compose builds ${entry}, which is no service`);
  }
  return findings;
}

function checkImage(name: string, stage: Stage): string[] {
  const findings: string[] = [];
  if (stage.user === undefined || stage.user === "root") findings.push(`the image of ${name} runs as root`);
  if (stage.healthcheck?.includes("/healthz") !== true)
    findings.push(`the image of ${name} has no health check of /healthz`);
  if (stage.env["HEDDLE_HOST"] !== "0.0.0.0") findings.push(`the image of ${name} cannot be reached from outside`);
  if (stage.exposed.join() !== stage.env["HEDDLE_PORT"])
    findings.push(`the image of ${name} does not expose its HEDDLE_PORT`);
  return findings;
}

function checkService(
  entry: string,
  deployed: ComposeService,
  { name, config }: DeployedService,
  stage: Stage,
): string[] {
  const findings: string[] = [];
  if (deployed.build?.target !== name) findings.push(`${entry} is not built from the target ${name}`);
  const given = Object.fromEntries(
    Object.entries(deployed.environment ?? {}).map(([key, value]) => [key, String(value)]),
  );
  for (const key of Object.keys({ ...stage.env, ...given })) {
    if (key.startsWith("NODE_") || key in config.settings) continue;
    if (key.endsWith("_FILE") && key.slice(0, -"_FILE".length) in config.settings) continue;
    findings.push(`${entry} is given ${key}, which is no setting of it`);
  }
  try {
    config.parse({ ...stage.env, ...given });
  } catch (error) {
    findings.push(`${entry}: ${(error as Error).message}`);
  }
  const port = Number(stage.env["HEDDLE_PORT"]);
  if (config.settings["HEDDLE_PORT"]?.default !== port)
    findings.push(`${entry} listens on ${port}, not on its default port`);
  for (const published of deployed.ports ?? []) {
    if (!published.endsWith(`:${port}`)) findings.push(`${entry} publishes ${published}, and listens on ${port}`);
  }
  const isMigration = entry.endsWith(MIGRATE);
  if (isMigration !== (deployed.command?.join(" ") === "migrate"))
    findings.push(`${entry} has the command ${deployed.command?.join(" ")}`);
  if (!isMigration && deployed.healthcheck?.disable === true) findings.push(`${entry} has no health check`);
  return findings;
}

/** Every host that a variable names is a service of the file, at the port on which it listens. */
function checkReferences(compose: ComposeFile, stages: ReadonlyMap<string, Stage>): string[] {
  const findings: string[] = [];
  for (const [entry, { environment = {}, depends_on: needs = {} }] of Object.entries(compose.services)) {
    for (const [key, value] of Object.entries(environment)) {
      if (!/^HEDDLE_(\w+_)?ADDRESS$/.test(key)) continue;
      const { hostname, port } = new URL(String(value));
      const expected = stages.get(hostname)?.env["HEDDLE_PORT"];
      if (compose.services[hostname] === undefined || expected !== port) {
        findings.push(`${entry}: ${key} is ${value}, where nothing listens`);
      }
    }
    for (const need of Object.keys(needs)) {
      if (compose.services[need] === undefined) findings.push(`${entry} depends on ${need}, which is not there`);
    }
  }
  return findings;
}
