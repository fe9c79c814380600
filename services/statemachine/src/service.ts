import { setTimeout as sleep } from "node:timers/promises";
import type { EventBus, EventSink, Subscription } from "@heddle/events";
import { createJournalForwarder } from "@heddle/events";
import { createJournalRuntime, createPublisher, type JournalLimits, type JournalRuntime } from "@heddle/journal";
import {
  createHub,
  createPlanLoader,
  createPlans,
  createRequestIds,
  findActiveVersion,
  findPlan,
  followDefinitions,
  savePlan,
} from "@heddle/journal-service";
import { DefinitionService } from "@heddle/proto/heddle/definition/v1/definition_service_pb.js";
import { ExecutionService } from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { DiagnosticsService } from "@heddle/proto/heddle/statemachine/v1/diagnostics_service_pb.js";
import { StateMachineEventSchema } from "@heddle/proto/heddle/statemachine/v1/statemachine_event_pb.js";
import { StateMachineService as Descriptor } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import {
  createInMemoryTransport,
  createOwnerRouter,
  createRpcClient,
  type Dial,
  type Routes,
  type RpcTransport,
} from "@heddle/rpc";
import type { Chart, ChartDocument } from "@heddle/statechart";
import type { Database } from "@heddle/store";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createDiagnostics } from "./diagnostics/create-diagnostics.ts";
import { createMachineAggregate, type Machine, type MachineCommand } from "./domain/aggregate.ts";
import { callTimeoutMs, publisherGraceMs } from "./domain/limits.ts";
import { linkStateMachine } from "./domain/link-state-machine.ts";
import { createTurnEffects } from "./domain/turns.ts";
import { startKeyOf } from "./domain/keys.ts";
import { createDescribeAtOwner } from "./forwarding/describe-at-owner.ts";
import { createRoutedMethods } from "./forwarding/routed-methods.ts";
import type { MachineContext } from "./handlers/context.ts";
import { registerMetrics } from "./metrics.ts";
import { createEnds } from "./obligations/ends.ts";
import { createOutbox } from "./obligations/outbox.ts";
import { createOutside } from "./obligations/outside.ts";
import { createSubscribers } from "./obligations/subscribers.ts";
import { createMachineProjection } from "./store/projection.ts";
import { saveSubscribedWorkflows } from "./store/subscriptions.ts";

/** Consumer group of DefinitionEvents; its positions are kept under this name. */
const DEFINITIONS_GROUP = "heddle.statemachine.definitions";

export interface StateMachineServiceOptions {
  database: Database;
  /** To the definition service. */
  definition: RpcTransport;
  /** To any replica of the execution service: states invoke workflows, tools and agents. */
  execution: RpcTransport;
  /** Reaches other replicas, by the addresses that they have told. Not needed by a process that is alone. */
  dial?: Dial;
  /** Unique among live processes, the same after a restart. */
  owner: string;
  /** Where other replicas reach this one, `http://host:port`; empty for a process that is alone. */
  address?: string;
  /** Brings DefinitionEvents, and the ends of what states invoke or subscribe to. */
  bus?: EventBus;
  /** Where StateMachineEvents go. */
  sinks: readonly EventSink[];
  logger: Logger;
  metrics?: Metrics;
  journalLimits?: Partial<JournalLimits>;
  now?: () => number;
  /** A newer process runs under the name of this one, which has given up for good: end it, with this error's message. */
  onSuperseded?: (error: Error) => void;
}

export interface StateMachineService {
  routes: Routes;
  /** Acquires partitions, recovers them, and takes up what machines ask of others. */
  start(): Promise<void>;
  /** Refuses new commands, commits and projects what there is, releases the partitions. */
  stop(): Promise<void>;
}

/** Wires the statechart core, the journal and the other services into one service. */
export function createStateMachineService(options: StateMachineServiceOptions): StateMachineService {
  const { database, bus, owner, logger } = options;
  const definitions = createRpcClient(DefinitionService, options.definition);
  const executions = createRpcClient(ExecutionService, options.execution);
  const hub = createHub();
  const requestIds = createRequestIds();

  const charts = createPlans<ChartDocument, Chart>({
    link: linkStateMachine,
    find: (key) => findPlan<ChartDocument>(database, key),
    async save(key, document) {
      await saveSubscribedWorkflows(database, key, document);
      await savePlan(database, key, document);
    },
    async fetch(key, knownVersion) {
      const { version, planJson } = await definitions.getPlan({ ...key, knownVersion });
      return planJson === "" ? { version } : { version, document: JSON.parse(planJson) as ChartDocument };
    },
    findActive: ({ namespace, workflowId }) => findActiveVersion(database, namespace, workflowId),
  });
  const loader = createPlanLoader({ resolve: (key) => charts.resolve(key), logger });
  let definitionEvents: Subscription | undefined;

  const projection = createMachineProjection(
    database,
    (key) => charts.resolve(key).then(({ plan }) => plan),
    (done) => {
      for (const machine of done) {
        const start = startKeyOf(machine);
        if (start !== undefined) requestIds.release(start.scope, start.key);
      }
    },
  );

  // What machines ask of machines goes the way of every call, to whichever replica it is for.
  const self = createInMemoryTransport({ routes: (router) => router.service(Descriptor, methods), logger });
  const machines = createRpcClient(Descriptor, self);
  const ends =
    bus &&
    createEnds({
      bus,
      database,
      logger,
      report: (request) => machines.reportInvocation(request, { timeoutMs: callTimeoutMs }),
      loadExecutionPayload: async (digest) => (await executions.getPayload({ digest })).payload,
      loadMachinePayload: async (digest) => (await machines.getPayload({ digest })).payload,
    });
  const outside = createOutside(options.execution, self);
  const outbox = createOutbox({
    runtime: () => runtime,
    outside,
    logger,
    onInvoking: () => ends?.listen(),
  });
  const subscribers = bus && createSubscribers({ bus, database, outside, logger });
  const effects = createTurnEffects({
    hub,
    requestIds,
    outbox,
    onSubscribing: () => subscribers?.listen(),
  });

  const runtime: JournalRuntime<Machine, MachineCommand> = createJournalRuntime({
    database,
    owner,
    address: options.address,
    aggregate: createMachineAggregate(charts),
    projection,
    limits: options.journalLimits,
    logger,
    now: options.now,
    onCommitted: (turns) => effects.committed(turns),
    onAcquired: (partition) => effects.recovered(runtime.live(partition)),
    onSuperseded: options.onSuperseded,
    onLost(partition) {
      requestIds.forget((id) => runtime.partitionOf(id) === partition);
      hub.notifyAll();
    },
  });

  const publisher = createPublisher(
    { runtime, database },
    {
      name: "events",
      publish: createJournalForwarder({
        sinks: options.sinks,
        topic: StateMachineEventSchema.typeName,
        source: "/heddle/statemachine",
      }),
      logger,
    },
  );

  if (options.metrics !== undefined) registerMetrics(options.metrics, runtime, publisher, outbox);
  const context: MachineContext = {
    runtime,
    database,
    charts,
    hub,
    requestIds,
    describeAtOwner: createDescribeAtOwner(() => methods),
  };
  const methods = createRoutedMethods(context, createOwnerRouter({ directory: runtime, dial: options.dial }));

  return {
    routes: (router) => router.service(Descriptor, methods).service(DiagnosticsService, createDiagnostics(context)),
    async start() {
      await runtime.start();
      await publisher.start();
      definitionEvents = bus && followDefinitions({ bus, group: DEFINITIONS_GROUP, database, loader, logger });
    },
    async stop() {
      outbox.stop();
      // Before the consumers: what is being published may be for them. Others wait for the partitions, and a broker that is
      // away is no reason to keep them.
      const published = publisher.stop();
      await Promise.race([published, sleep(publisherGraceMs, undefined, { ref: false })]);
      await Promise.all([definitionEvents?.close(), ends?.stop(), subscribers?.stop()]);
      await loader.stop();
      await runtime.stop();
      // What no broker has taken until now stays in the journal: whoever closes the bus ends the attempt.
      requestIds.clear();
      hub.notifyAll();
      self.close();
    },
  };
}
