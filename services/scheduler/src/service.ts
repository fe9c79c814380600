import type { ConnectRouter } from "@connectrpc/connect";
import { LinkService } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { SchedulerService } from "@heddle/proto/heddle/scheduler/v1/scheduler_service_pb.js";
import { WorkerService } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { EventBus } from "@heddle/events";
import type { Dial, RpcTransport, ValidationOptions } from "@heddle/rpc";
import type { Database } from "@heddle/store";
import type { Logger, Metrics } from "@heddle/telemetry";
import type { SchedulerContext } from "./context.ts";
import { createSchedulerState, type SchedulerState } from "./domain/state.ts";
import { handleConnect } from "./handlers/connect.ts";
import { handleDescribeQueue } from "./handlers/describe-queue.ts";
import { handleExplainWait } from "./handlers/explain-wait.ts";
import { handleListWorkers } from "./handlers/list-workers.ts";
import { handleOpenLink } from "./handlers/open-link.ts";
import { createLinkBrake } from "./link-brake.ts";
import { defaultLimits, type SchedulerLimits } from "./limits.ts";
import { registerMetrics } from "./metrics.ts";
import { createSessions, shuttingDown } from "./sessions.ts";
import { bumpEpoch } from "./store/epoch.ts";
import { createTurns, monotonicClock, type Clock } from "./turn.ts";

export interface SchedulerServiceDeps {
  logger: Logger;
  metrics?: Metrics;
  clock?: Clock;
  limits?: Partial<SchedulerLimits>;
  /** Where the epoch of the fencing tokens is kept: its own schema, brought up to date with `schedulerMigrations`. This or `epoch` is needed. */
  database?: Database;
  /** To any replica of the execution service: schedules and triggers start executions. */
  execution?: RpcTransport;
  /** Brings DefinitionEvents and ExecutionEvents. */
  bus?: EventBus;
  /** Unique among live processes, the same after a restart. */
  owner?: string;
  /** Where other replicas and executions reach this one, `http://host:port`; empty for a process that is alone. */
  address?: string;
  /** Reaches other replicas, by the addresses that they have told. Not needed by a process that is alone. */
  dial?: Dial;
  /** In place of `database`: gives a number that is higher at every call, over all restarts. */
  epoch?: () => Promise<bigint>;
}

export interface SchedulerServer {
  /** Registers LinkService, WorkerService and SchedulerService. */
  routes(router: ConnectRouter): void;
  /** To be given to the server: frames of the two streams are checked here, at a fraction of the cost. */
  validation: ValidationOptions;
  /** Gets a new epoch. Before, every call is answered with UNAVAILABLE. */
  start(): Promise<void>;
  /** Ends all streams with UNAVAILABLE, forgets everything, and leaves no timer behind. */
  stop(): Promise<void>;
}

/** The scheduler: queues, admission, leases and the streams of workers and owners. State is in memory and soft. */
export function createSchedulerService(deps: SchedulerServiceDeps): SchedulerServer {
  const { logger, clock = monotonicClock } = deps;
  const limits: SchedulerLimits = { ...defaultLimits, ...deps.limits };
  let running: SchedulerContext | undefined;
  const get = (): SchedulerContext => {
    if (running === undefined) throw shuttingDown();
    return running;
  };

  return {
    validation: {
      skip: (method) => method === LinkService.method.openLink || method === WorkerService.method.connect,
    },
    routes(router) {
      router.service(LinkService, {
        openLink: (requests, { signal }) => handleOpenLink(get(), requests, signal),
      });
      router.service(WorkerService, {
        connect: (requests, { signal }) => handleConnect(get(), requests, signal),
      });
      router.service(SchedulerService, {
        listWorkers: (request) => handleListWorkers(get(), request),
        describeQueue: (request) => handleDescribeQueue(get(), request),
        explainWait: (request) => handleExplainWait(get(), request),
      });
    },
    async start() {
      if (running !== undefined) return;
      const nextEpoch = epochSource(deps);
      const epoch = await nextEpoch();
      const state = createSchedulerState({ limits, epoch, nowMs: clock.now() });
      const brake = createLinkBrake(state);
      const tellMetrics = deps.metrics === undefined ? undefined : registerMetrics(deps.metrics, state);
      const renewEpoch = createEpochRenewal(state, nextEpoch, logger);
      const turns = createTurns({
        state,
        clock,
        onTurn() {
          brake.check();
          tellMetrics?.();
          renewEpoch();
        },
      });
      running = { state, clock, turns, sessions: createSessions(), brake };
      logger.info({ epoch: String(epoch) }, "scheduler started");
    },
    async stop() {
      if (running === undefined) return;
      const { sessions, turns, brake } = running;
      running = undefined;
      sessions.closeAll();
      brake.release();
      turns.stop();
    },
  };
}

function epochSource({ epoch, database }: SchedulerServiceDeps): () => Promise<bigint> {
  if (epoch !== undefined) return epoch;
  if (database !== undefined) return () => bumpEpoch(database);
  throw new Error(
    "createSchedulerService needs `database`, or `epoch` in its place: fencing tokens must grow over restarts",
  );
}

/** After two thousand million deliveries it is time for a new epoch, long before the tokens run into the next one. */
function createEpochRenewal(state: SchedulerState, nextEpoch: () => Promise<bigint>, logger: Logger): () => void {
  let renewing = false;
  return () => {
    if (renewing || !state.tokens.nearlyExhausted) return;
    renewing = true;
    nextEpoch().then(
      (epoch) => {
        state.tokens.advance(epoch);
        renewing = false;
      },
      (err: unknown) => {
        logger.error({ err }, "no new epoch for fencing tokens; the next turn tries again");
        renewing = false;
      },
    );
  };
}
