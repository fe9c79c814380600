import type { ConnectRouter } from "@connectrpc/connect";
import { DiagnosticsService } from "@heddle/proto/heddle/scheduler/v1/diagnostics_service_pb.js";
import { LinkService } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { DomainError } from "@heddle/errors";
import type { EventBus } from "@heddle/events";
import type { Dial, RpcTransport, ValidationOptions } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger, Metrics } from "@heddle/telemetry";
import { handleConnect } from "./handlers/connect.ts";
import { createDiagnostics } from "./handlers/create-diagnostics.ts";
import { handleOpenLink } from "./handlers/open-link.ts";
import { createRoutedCalls, type RoutedCalls } from "./handlers/routed-calls.ts";
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  type ScheduleCallContext,
} from "./handlers/schedule-calls.ts";
import { defaultLimits, type SchedulerLimits } from "./limits.ts";
import { registerMetrics } from "./metrics.ts";
import { createScheduling } from "./schedules/scheduling.ts";
import { shuttingDown } from "./sessions.ts";
import { createShardSet, type ShardSet } from "./shards/shard-set.ts";
import { monotonicClock, type Clock } from "./turn.ts";

export interface SchedulerServiceDeps {
  logger: Logger;
  metrics?: Metrics;
  clock?: Clock;
  limits?: Partial<SchedulerLimits>;
  /** Where the leases on the shards are: its own schema, brought up to date with `schedulerMigrations`. This or `epoch` is needed. */
  database?: Database;
  /** To any replica of the execution service: schedules and triggers start executions. */
  execution?: RpcTransport;
  /** Brings DefinitionEvents and ExecutionEvents. */
  bus?: EventBus;
  /** Unique among live processes, the same after a restart, which then takes back at once what it had. Default `scheduler`. */
  owner?: string;
  /** Where other replicas and executions reach this one, `http://host:port`; empty for a process that is alone. */
  address?: string;
  /** Reaches other replicas, by the addresses that they have told. Not needed by a process that is alone. */
  dial?: Dial;
  /** A newer process runs under the name of this one, which owns nothing any more for good: end it, with a message. */
  onSuperseded?: () => void;
  /** In place of `database`, for a process that is alone: gives a number that is higher at every call, over all restarts. */
  epoch?: () => Promise<bigint>;
}

export interface SchedulerServer {
  /** Registers LinkService, WorkerService and SchedulerService. */
  routes(router: ConnectRouter): void;
  /** To be given to the server: frames of the two streams are checked here, at a fraction of the cost. */
  validation: ValidationOptions;
  /** Takes its share of the shards. Before, every call is answered with UNAVAILABLE. */
  start(): Promise<void>;
  /** Ends all streams with UNAVAILABLE, gives its shards to other replicas, and leaves no timer behind. */
  stop(): Promise<void>;
}

/** The scheduler: queues, admission, leases and the streams of workers and owners. State is in memory and soft. */
export function createSchedulerService(deps: SchedulerServiceDeps): SchedulerServer {
  const { logger, clock = monotonicClock, database, dial, owner = "scheduler", address = "" } = deps;
  const limits: SchedulerLimits = { ...defaultLimits, ...deps.limits };
  const metrics = deps.metrics === undefined ? undefined : registerMetrics(deps.metrics);
  let running:
    | {
        shards: ShardSet;
        calls: RoutedCalls;
        schedules: ScheduleCallContext | undefined;
        diagnostics: ReturnType<typeof createDiagnostics>;
      }
    | undefined;
  const get = () => {
    if (running === undefined) throw shuttingDown();
    return running;
  };
  const schedules = (): ScheduleCallContext => {
    const context = get().schedules;
    if (context === undefined) throw withoutSchedules();
    return context;
  };

  return {
    validation: {
      skip: (method) => method === LinkService.method.openLink || method === WorkerService.method.connect,
    },
    routes(router) {
      router.service(LinkService, {
        openLink: (requests, { signal }) => handleOpenLink(get().shards, requests, signal),
      });
      router.service(WorkerService, {
        connect: (requests, call) => handleConnect(get().shards, dial, requests, call),
      });
      router.service(SchedulerService, {
        listWorkers: (request, call) => get().calls.listWorkers(request, call),
        describeQueue: (request, call) => get().calls.describeQueue(request, call),
        explainWait: (request, call) => get().calls.explainWait(request, call),
        createSchedule: (request) => createSchedule(schedules(), request),
        getSchedule: (request) => getSchedule(schedules(), request),
        listSchedules: (request) => listSchedules(schedules(), request),
        pauseSchedule: (request) => pauseSchedule(schedules(), request),
        deleteSchedule: (request) => deleteSchedule(schedules(), request),
      });
      router.service(DiagnosticsService, {
        describeShards: (request, call) => get().diagnostics.describeShards(request, call),
        describeParkedEvents: (request, call) => get().diagnostics.describeParkedEvents(request, call),
        inspectShard: (request, call) => get().diagnostics.inspectShard(request, call),
      });
    },
    async start() {
      if (running !== undefined) return;
      const shards = createShardSet({
        database,
        nextEpoch: deps.epoch,
        owner,
        address,
        dial,
        limits,
        clock,
        logger,
        metrics,
        onSuperseded: deps.onSuperseded,
      });
      await shards.start();
      const { execution, bus } = deps;
      const scheduling =
        database && execution && bus
          ? createScheduling({ database, execution, bus, ownership: shards, logger })
          : undefined;
      try {
        try {
          await scheduling?.start();
        } catch (error) {
          await shards.stop();
          throw error;
        }
      } catch (error) {
        await shards.stop();
        throw error;
      }
      running = {
        shards,
        calls: createRoutedCalls(shards, dial),
        schedules: scheduling && database && { database, scheduling },
        diagnostics: createDiagnostics(shards, { database, dial }),
      };
      logger.info({ owner, shards: shards.ownedShards() }, "scheduler started");
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.schedules?.scheduling.stop();
      await stopping?.shards.stop();
    },
  };
}

function withoutSchedules(): DomainError {
  return new DomainError({
    kind: "unimplemented",
    reason: "METHOD_NOT_IMPLEMENTED",
    message: "this process runs no schedules: it was composed without a database, an event bus or a way to execution",
  });
}
