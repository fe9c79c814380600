import { runProcess } from "@heddle/service-process";
import { stateMachineConfig } from "./config.ts";
import { createStateMachineService } from "./index.ts";

await runProcess({ name: "statemachine", config: stateMachineConfig, compose: createStateMachineService });
