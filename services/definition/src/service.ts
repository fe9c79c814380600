import type { EventSink } from "@heddle/events";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import type { Routes } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger } from "@heddle/telemetry";
import { activateDefinitionVersion } from "./handlers/activate-definition-version.ts";
import type { DefinitionContext } from "./handlers/context.ts";
import { deleteDefinition } from "./handlers/delete-definition.ts";
import { getDefinition } from "./handlers/get-definition.ts";
import { getPlan } from "./handlers/get-plan.ts";
import { listDefinitionVersions } from "./handlers/list-definition-versions.ts";
import { listDefinitions } from "./handlers/list-definitions.ts";
import { publishDefinition } from "./handlers/publish-definition.ts";
import { validateDefinition } from "./handlers/validate-definition.ts";
import { createOutboxPublisher } from "./publisher.ts";

export interface DefinitionServiceOptions {
  database: Database;
  /** Where DefinitionEvents go. */
  sinks: readonly EventSink[];
  logger: Logger;
}

export interface DefinitionServer {
  routes: Routes;
  /** Delivers events that an earlier process has left. */
  start(): void;
  stop(): Promise<void>;
}

export function createDefinitionService({ database, sinks, logger }: DefinitionServiceOptions): DefinitionServer {
  const publisher = createOutboxPublisher(database, sinks, logger);
  const context: DefinitionContext = { database, wakePublisher: () => publisher.wake() };
  return {
    routes: (router) =>
      router.service(DefinitionService, {
        publishDefinition: (request) => publishDefinition(context, request),
        validateDefinition: (request) => validateDefinition(request),
        getDefinition: (request) => getDefinition(context, request),
        listDefinitions: (request) => listDefinitions(context, request),
        listDefinitionVersions: (request) => listDefinitionVersions(context, request),
        activateDefinitionVersion: (request) => activateDefinitionVersion(context, request),
        deleteDefinition: (request) => deleteDefinition(context, request),
        getPlan: (request) => getPlan(context, request),
      }),
    start: () => publisher.wake(),
    stop: () => publisher.stop(),
  };
}
