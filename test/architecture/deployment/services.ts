import { readdirSync, readFileSync } from "node:fs";
import type { Environment, Settings } from "@heddle/config";
import { definitionConfig } from "@heddle/definition-service";
import { executionConfig } from "@heddle/execution-service";
import { gatewayConfig } from "@heddle/gateway-service";
import { schedulerConfig } from "@heddle/scheduler-service";
import { stateMachineConfig } from "@heddle/statemachine-service";
import { workerConfig } from "@heddle/worker-service";

/** What a deployment must know of a service. */
export interface DeployedService {
  readonly name: string;
  /** The table of its settings. */
  readonly config: { readonly settings: Settings; parse(env: Environment): object };
}

const CONFIGS: Readonly<Record<string, DeployedService["config"]>> = {
  definition: definitionConfig,
  execution: executionConfig,
  gateway: gatewayConfig,
  scheduler: schedulerConfig,
  statemachine: stateMachineConfig,
  worker: workerConfig,
};

/** Every folder of services/. @throws for one whose settings nobody has listed above */
export function listServices(): DeployedService[] {
  return readdirSync("services").map((name) => {
    const config = CONFIGS[name];
    if (config === undefined) throw new Error(`services/${name} is not in ${import.meta.filename}: add its config`);
    return { name, config };
  });
}

export function readText(path: string): string {
  return readFileSync(path, "utf8");
}
