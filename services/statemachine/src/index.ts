import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import type { Routes } from "@heddle/rpc";

export { stateMachineConfig } from "./config.ts";

/**
 * The contract of durable statecharts, registered so that reflection and generated clients know it. It has no
 * implementation yet: every method answers UNIMPLEMENTED with reason METHOD_NOT_IMPLEMENTED.
 */
export function createStateMachineService(): { routes: Routes } {
  return { routes: (router) => router.service(StateMachineService, {}) };
}
