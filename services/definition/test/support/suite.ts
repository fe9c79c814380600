import { fromBinary } from "@bufbuild/protobuf";
import type { EventMessage } from "@heddle/events";
import { type DefinitionEvent, DefinitionEventSchema } from "@heddle/proto/heddle/definition/v1/definition_event_pb.js";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { createInMemoryTransport, createRpcClient, type RpcClient } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { createTestDatabase } from "@heddle/testing";
import { createDefinitionService, definitionMigrations } from "../../src/index.ts";

export interface DefinitionSuite {
  client: RpcClient<typeof DefinitionService>;
  /** As they were published, in order, repetitions included. */
  published: EventMessage[];
  /** The events of one definition, as they were published. */
  eventsOf(workflowId: string): DefinitionEvent[];
  /** What the sink does with a batch before it counts as published; throws to refuse it. */
  setSink(take: (batch: readonly EventMessage[]) => void): void;
  /** Ends the service in order and starts another one on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The definition service on a real Postgres. */
export async function startDefinitionSuite(): Promise<DefinitionSuite> {
  const testDatabase = await createTestDatabase({ schema: "definition", migrations: definitionMigrations });
  const logger = createLogger({ name: "test", level: "silent" });
  const published: EventMessage[] = [];
  let take: (batch: readonly EventMessage[]) => void = () => undefined;

  const start = () => {
    const service = createDefinitionService({
      database: testDatabase.open(),
      sinks: [
        {
          async publish(batch) {
            take(batch);
            published.push(...batch);
          },
        },
      ],
      logger,
    });
    service.start();
    return { service, transport: createInMemoryTransport({ routes: service.routes, logger }) };
  };

  let current = start();
  const end = async () => {
    await current.service.stop();
    current.transport.close();
  };
  const suite: DefinitionSuite = {
    client: createRpcClient(DefinitionService, current.transport),
    published,
    eventsOf: (workflowId) =>
      published
        .map(({ value }) => fromBinary(DefinitionEventSchema, value))
        .filter((event) => event.workflowId === workflowId),
    setSink(next) {
      take = next;
    },
    async restart() {
      await end();
      current = start();
      suite.client = createRpcClient(DefinitionService, current.transport);
    },
    async stop() {
      await end();
      await testDatabase.drop();
    },
  };
  return suite;
}

/** A definition of one node whose text differs by `text`. */
export function workflow(id: string, text = "x", head = ""): string {
  return `workflow:
  id: ${id}
  type: dag
${head === "" ? "" : `  ${head}\n`}  nodes:
    - { id: say, type: action, subtype: transform, params: { value: "${text}" } }
`;
}
