import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { EventBus, EventSink, Subscription } from "@heddle/events";
import { createJournalForwarder } from "@heddle/events";
import { linkPlan, type Plan, type PlanDocument } from "@heddle/engine";
import { childId, createJournalRuntime, createPublisher, type JournalLimits } from "@heddle/journal";
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
import { BatchService } from "@heddle/proto/heddle/execution/v1/batch_service_pb.js";
import { DiagnosticsService } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { ExecutionEventSchema } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import {
  type DeliverEventRequest,
  ExecutionService as ExecutionDescriptor,
} from "@heddle/proto/heddle/execution/v1/execution_service_pb.js";
import { HumanTaskService } from "@heddle/proto/heddle/execution/v1/human_task_service_pb.js";
import { StateMachineService } from "@heddle/proto/heddle/statemachine/v1/statemachine_service_pb.js";
import {
  createInMemoryTransport,
  createOwnerRouter,
  createRpcClient,
  type Dial,
  hasMoved,
  type Routes,
  type RpcTransport,
} from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger, Metrics } from "@heddle/telemetry";
import { createBatchHandlers } from "./batches/handlers.ts";
import { createBatchRunner } from "./batches/runner.ts";
import { readPlan } from "./definitions/read-plan.ts";
import { createDiagnostics } from "./diagnostics/create-diagnostics.ts";
import { createExecutionAggregate } from "./domain/aggregate.ts";
import { createChildren } from "./domain/children.ts";
import { createEventWaits } from "./events/event-waits.ts";
import { batchIntervalMs, incidentCountIntervalMs, publisherGraceMs, purgeIntervalMs } from "./domain/limits.ts";
import { createMachines } from "./domain/machines.ts";
import { createTurnEffects } from "./domain/turns.ts";
import { createWorkflowKeys, requestScope } from "./domain/workflow-keys.ts";
import { createAtOwner } from "./forwarding/at-owner.ts";
import { createRoutedMethods } from "./forwarding/routed-methods.ts";
import type { ExecutionContext } from "./handlers/context.ts";
import { createOpenTasks } from "./link/open-tasks.ts";
import { submitResults } from "./link/submit-results.ts";
import { createSchedulerLink } from "./link/scheduler-link.ts";
import { parseTaskId } from "./link/task-messages.ts";
import { consumeMachineEnds } from "./machines/machine-end-consumer.ts";
import { consumeCloudEvents } from "./events/cloud-event-consumer.ts";
import { consumeEvents } from "./events/event-consumer.ts";
import { createTellEvent } from "./events/tell-event.ts";
import { registerMetrics } from "./metrics.ts";
import { createHumanTaskMethods } from "./human/human-task-methods.ts";
import { createHumanTaskTable } from "./human/projection.ts";
import { createOpenIncidentCount } from "./incidents/count-open.ts";
import { createIncidentTable } from "./incidents/projection.ts";
import { createPurger } from "./retention/purger.ts";
import type { Retention } from "./retention/retention.ts";
import { createExecutionProjection } from "./store/projection.ts";
import { writeBeside } from "./store/write-beside.ts";

/** Consumer group of DefinitionEvents; its positions are kept under this name. */
const DEFINITIONS_GROUP = "heddle.execution.definitions";

export interface ExecutionServiceOptions {
  database: Database;
  /** To the definition service. */
  definition: RpcTransport;
  /** To any replica of the scheduler. */
  scheduler: RpcTransport;
  /** To the statemachine service, for nodes that create machines. */
  statemachine: RpcTransport;
  /** Reaches other replicas, by the addresses that they have told. Not needed by a process that is alone. */
  dial?: Dial;
  /** Unique among live processes, the same after a restart. */
  owner: string;
  /** Where other replicas reach this one, `http://host:port`; empty for a process that is alone. */
  address?: string;
  /** Brings DefinitionEvents and StateMachineEvents. */
  bus?: EventBus;
  /** Topics on the bus with CloudEvents of others, and the namespace of those events that name none. */
  cloudEvents?: { topics: readonly string[]; namespace: string };
  /** Where ExecutionEvents go. */
  sinks: readonly EventSink[];
  logger: Logger;
  metrics?: Metrics;
  journalLimits?: Partial<JournalLimits>;
  /** How long executions are kept whose definition does not say it. Default: for ever. */
  retention?: Retention;
  /** How often the purge looks for those whose time is over. Default a minute. */
  purgeIntervalMs?: number;
  now?: () => number;
  /** A newer process runs under the name of this one, which has given up for good: end it, with this error's message. */
  onSuperseded?: (error: Error) => void;
}

export interface ExecutionService {
  routes: Routes;
  /** Acquires partitions, recovers them, and links to the scheduler. */
  start(): Promise<void>;
  /** Refuses new commands, commits and projects what there is, releases the partitions. */
  stop(): Promise<void>;
}

/** Wires the engine, the journal and the link to the scheduler into one service. */
export function createExecutionService(options: ExecutionServiceOptions): ExecutionService {
  const { database, owner, logger, now = Date.now } = options;
  const definitions = createRpcClient(DefinitionService, options.definition);
  const hub = createHub();
  const requestIds = createRequestIds();
  const workflowKeys = createWorkflowKeys();
  const openTasks = createOpenTasks();

  const plans = createPlans<PlanDocument, Plan>({
    link: linkPlan,
    find: (key) => findPlan<PlanDocument>(database, key),
    save: (key, document) => savePlan(database, key, document),
    async fetch(key, knownVersion) {
      const { version, planJson } = await definitions.getPlan({ ...key, knownVersion });
      return planJson === "" ? { version } : { version, document: readPlan(key, planJson) };
    },
    findActive: ({ namespace, workflowId }) => findActiveVersion(database, namespace, workflowId),
  });
  const loader = createPlanLoader({ resolve: (key) => plans.resolve(key), logger });
  const subscriptions: Subscription[] = [];

  const executionProjection = createExecutionProjection(
    database,
    (key) => plans.resolve(key).then(({ plan }) => plan),
    (finished) => {
      for (const execution of finished) {
        const { id, namespace, requestId, workflowKey } = execution;
        if (requestId !== "") requestIds.release(requestScope(execution), requestId);
        if (workflowKey !== "") workflowKeys.release(namespace, workflowKey, id);
      }
    },
    options.retention,
  );

  const stateMachines = createRpcClient(StateMachineService, options.statemachine);
  const children = createChildren({ runtime: () => runtime, plans, hasMoved, logger });
  const machines = createMachines({ runtime: () => runtime, client: stateMachines, logger });
  const eventWaits = createEventWaits({ runtime: () => runtime, database, onExpected: () => followEvents(), logger });
  const link = createSchedulerLink({
    transport: options.scheduler,
    dial: options.dial,
    // The scheduler must not take the frames of a process that has died for those of its successor.
    ownerId: `${owner}/${randomUUID()}`,
    openTasks,
    ownedPartitions: () => runtime.ownedPartitions(),
    epochOf: (partition) => runtime.epochOf(partition),
    partitionOf(taskId) {
      const key = parseTaskId(taskId);
      return key && runtime.partitionOf(key.executionId);
    },
    onResults: (results, done) => submitResults(runtime, results, done, logger),
    logger,
  });
  const effects = createTurnEffects({
    openTasks,
    children,
    machines,
    eventWaits,
    hub,
    requestIds,
    workflowKeys,
    scheduler: link,
    now,
  });

  const runtime = createJournalRuntime({
    database,
    owner,
    address: options.address,
    aggregate: createExecutionAggregate(plans, childId),
    projection: writeBeside(writeBeside(executionProjection, createHumanTaskTable()), createIncidentTable()),
    limits: options.journalLimits,
    logger,
    now,
    onCommitted: (turns) => effects.committed(turns),
    onAcquired(partition) {
      effects.recovered(partition, runtime.live(partition));
      link.sync([partition]);
    },
    onSuperseded: options.onSuperseded,
    onLost(partition) {
      const hasGone = (id: string): boolean => runtime.partitionOf(id) === partition;
      requestIds.forget(hasGone);
      workflowKeys.forget(hasGone);
      openTasks.dropPartition(partition);
      hub.notifyAll();
    },
  });

  const publisher = createPublisher(
    { runtime, database },
    {
      name: "events",
      publish: createJournalForwarder({
        sinks: options.sinks,
        topic: ExecutionEventSchema.typeName,
        source: "/heddle/execution",
      }),
      logger,
    },
  );

  const purger = createPurger({
    database,
    ownedPartitions: () => runtime.ownedPartitions(),
    intervalMs: options.purgeIntervalMs ?? purgeIntervalMs,
    logger,
  });

  const incidentCount = createOpenIncidentCount({
    database,
    ownedPartitions: () => runtime.ownedPartitions(),
    intervalMs: incidentCountIntervalMs,
    logger,
  });

  if (options.metrics !== undefined) {
    registerMetrics(options.metrics, runtime, openTasks, publisher, incidentCount.current);
  }
  const atOwner = createAtOwner(() => methods);
  const tellEvent = createTellEvent({
    database,
    deliver: (request: DeliverEventRequest) => own.deliverEvent(request),
    now,
    logger,
  });
  const context: ExecutionContext = {
    runtime,
    database,
    plans,
    hub,
    requestIds,
    workflowKeys,
    openTasks,
    tellEvent,
    now,
    atOwner,
  };
  const router = createOwnerRouter({ directory: runtime, dial: options.dial });
  const methods = createRoutedMethods(context, router);
  // What events tell goes the way of every call: to the owner of the execution.
  const transport = createInMemoryTransport({
    routes: (routes) => routes.service(ExecutionDescriptor, methods),
    logger,
  });
  const own = createRpcClient(ExecutionDescriptor, transport);
  const batches = createBatchRunner({
    database,
    executions: own,
    ownedPartitions: () => runtime.ownedPartitions(),
    intervalMs: batchIntervalMs,
    logger,
  });

  let hearsEvents = false;
  /** Only when an execution may wait for events: to hear all that happens in all executions has its price. */
  function followEvents(): void {
    const { bus } = options;
    if (bus === undefined || hearsEvents) return;
    hearsEvents = true;
    subscriptions.push(consumeEvents({ bus, database, tell: tellEvent, now, logger }));
  }

  return {
    routes: (routes) =>
      routes
        .service(ExecutionDescriptor, methods)
        .service(
          BatchService,
          createBatchHandlers(context, () => batches.wake()),
        )
        .service(HumanTaskService, createHumanTaskMethods(context, router))
        .service(DiagnosticsService, createDiagnostics(context, router)),
    async start() {
      await runtime.start();
      await publisher.start();
      if (options.bus !== undefined) {
        subscriptions.push(
          followDefinitions({ bus: options.bus, group: DEFINITIONS_GROUP, database, loader, logger }),
          consumeMachineEnds({
            bus: options.bus,
            database,
            report: (request) => own.reportMachine(request),
            getPayload: async (digest) => (await stateMachines.getPayload({ digest })).payload,
            logger,
          }),
        );
        if (options.cloudEvents !== undefined) {
          const { bus, cloudEvents } = options;
          subscriptions.push(...consumeCloudEvents({ bus, ...cloudEvents, database, tell: tellEvent, now, logger }));
        }
      }
      link.start();
      purger.start();
      batches.start();
      if (options.metrics !== undefined) incidentCount.start();
    },
    async stop() {
      hearsEvents = true;
      eventWaits.stop();
      link.stop();
      await Promise.all([purger.stop(), batches.stop(), incidentCount.stop()]);
      children.stop();
      machines.stop();
      await Promise.all(subscriptions.splice(0).map((subscription) => subscription.close()));
      transport.close();
      await loader.stop();
      // Others wait for the partitions, and a broker that is away is no reason to keep them.
      const published = publisher.stop();
      await Promise.race([published, sleep(publisherGraceMs, undefined, { ref: false })]);
      await runtime.stop();
      // What no broker has taken until now stays in the journal: whoever closes the bus ends the attempt.
      requestIds.clear();
      workflowKeys.clear();
      hub.notifyAll();
    },
  };
}
