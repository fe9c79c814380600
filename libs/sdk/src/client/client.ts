import { createEdgeTransport, type RpcTransport, type TlsOptions } from "@heddle/rpc";
import { readConfig } from "../config.ts";
import { type BatchesClient, createBatchesClient } from "./batches-client.ts";
import { createCall } from "./call.ts";
import { createDefinitionsClient, type DefinitionsClient } from "./definitions-client.ts";
import { createExecutionsClient, type ExecutionsClient } from "./executions-client.ts";
import { createHumanTasksClient, type HumanTasksClient } from "./human-tasks-client.ts";
import { createMachinesClient, type MachinesClient } from "./machines-client.ts";
import { createQueuesClient, type QueuesClient } from "./queues-client.ts";
import { createSchedulesClient, type SchedulesClient } from "./schedules-client.ts";

export interface CreateClientOptions {
  /** Default: `HEDDLE_ADDRESS`, or the laptop process at http://127.0.0.1:7233. */
  address?: string;
  /** Default: `HEDDLE_NAMESPACE`, or `default`. */
  namespace?: string;
  /** For an address of `https://`; what it leaves out is taken from the environment. */
  tls?: TlsOptions;
  /** A transport of the caller's own, e.g. within the process. It stays open when the client closes. */
  transport?: RpcTransport;
}

/**
 * Everything that one does with Heddle from outside, in plain objects: times are Dates, durations milliseconds, enums
 * lower-case words. Calls are repeated within their time while the server is away or asks to come back later. Errors are
 * DomainErrors with a `reason` for programs and a message for people.
 */
export interface Client extends DefinitionsClient, ExecutionsClient, QueuesClient, SchedulesClient {
  /** What executions ask people. */
  readonly tasks: HumanTasksClient;
  /** State machines. */
  readonly machines: MachinesClient;
  /** The same done to many executions. */
  readonly batches: BatchesClient;
  /** Closes connections; calls that are under way end. */
  close(): void;
}

export function createClient(options: CreateClientOptions = {}): Client {
  const config = readConfig();
  const namespace = options.namespace ?? config.namespace;
  const address = options.address ?? config.address;
  const transport = options.transport ?? createEdgeTransport(address, { tls: { ...config.tls, ...options.tls } });
  const call = createCall(options.transport === undefined ? address : "the given transport");
  const context = { transport, namespace, call };
  return {
    ...createDefinitionsClient(context),
    ...createExecutionsClient(context),
    ...createQueuesClient(context),
    ...createSchedulesClient(context),
    tasks: createHumanTasksClient(context),
    machines: createMachinesClient(context),
    batches: createBatchesClient(context),
    close() {
      if (options.transport === undefined) transport.close();
    },
  };
}
