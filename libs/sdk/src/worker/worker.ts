import type { WorkerHello, WorkerWelcome } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { type ClientTls, closeOnSignal, createEdgeTransport, type RpcTransport, type TlsOptions } from "@heddle/rpc";
import { createLogger, type Logger } from "@heddle/telemetry";
import { newWorkerId, readConfig } from "../config.ts";
import {
  DEFAULT_DRAIN_MS,
  DEFAULT_SLOTS,
  DEFAULT_WORKER_LIMITS,
  HELD_MAX,
  MAX_SLOTS,
  WORKER_KEEPALIVE,
  type WorkerLimits,
} from "../limits.ts";
import { createConnection, type Frame } from "./connection.ts";
import type { Handlers } from "./handler.ts";
import { createOutbox, type ResultFrame } from "./outbox.ts";
import { createRegistry } from "./registry.ts";
import { createTaskRunner, type TaskRunnerStats } from "./task-runner.ts";

/** Sent in hello, for people who look at ListWorkers. */
const CLIENT = "heddle-ts/0.1.0";

export interface CreateWorkerOptions {
  /** Default: `HEDDLE_ADDRESS`, or the laptop process at http://127.0.0.1:7233. */
  address?: string;
  /** Default: `HEDDLE_NAMESPACE`, or `default`. */
  namespace?: string;
  /** Tools by name. */
  handlers?: Handlers;
  /** Agents by name; `*` for agents that definitions describe themselves. */
  agents?: Handlers;
  /** Tasks at once, 1 to 100000; default 100. */
  slots?: number;
  /** The same after a reconnect, different for every process; default: host, pid and a random part. */
  workerId?: string;
  /** For people and for routing; at most 32. */
  labels?: Record<string, string>;
  /** For an address of `https://`; what it leaves out is taken from the environment. */
  tls?: TlsOptions | ClientTls | undefined;
  /** A transport of the caller's own, e.g. within the process. It stays open when the worker stops. */
  transport?: RpcTransport;
  logger?: Logger;
  limits?: Partial<WorkerLimits>;
  /** True: SIGTERM and SIGINT stop the worker within its drain time, then end the process. */
  stopOnSignal?: boolean;
}

export interface WorkerStats extends TaskRunnerStats {
  workerId: string;
  slots: number;
  connected: boolean;
  /** Results that the server has not acknowledged yet. */
  unacknowledged: number;
  /** Results that the server refused: the attempt was over, or another worker had it. */
  refused: number;
  /** Times that a stream broke. */
  outages: number;
}

export interface Worker {
  /**
   * Connects and runs tasks. Resolves when the server has welcomed the worker for the first time, which may take as long as
   * no server is there (or when it is stopped before).
   * @throws DomainError when the server will never take it: wrong options, no permission, not a Heddle address
   */
  start(): Promise<void>;
  /**
   * Takes no new tasks, lets the running ones finish for `drainMs` (default 30 s), sends their results, waits until they are
   * acknowledged, and closes. What still runs then is aborted without a result: its lease ends and another worker gets it.
   */
  stop(options?: { drainMs?: number }): Promise<void>;
  readonly stats: WorkerStats;
}

/**
 * A process that runs tasks. @throws TypeError for options that cannot work
 *
 *     const worker = createWorker({ handlers: { greet: async ({ name }) => ({ text: `Hello, ${name}!` }) } });
 *     await worker.start();
 */
export function createWorker(options: CreateWorkerOptions): Worker {
  const config = readConfig();
  const address = options.address ?? config.address;
  const workerId = options.workerId ?? newWorkerId();
  const slots = options.slots ?? DEFAULT_SLOTS;
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS) {
    throw new TypeError(`slots must be an integer from 1 to ${MAX_SLOTS}, not ${slots}`);
  }
  const limits = { ...DEFAULT_WORKER_LIMITS, ...options.limits };
  const logger = (options.logger ?? createLogger({ name: "worker" })).child({ workerId });
  const registry = createRegistry(options.handlers ?? {}, options.agents ?? {});
  const transport =
    options.transport ??
    createEdgeTransport(address, { tls: { ...config.tls, ...options.tls }, limits: WORKER_KEEPALIVE });

  const outbox = createOutbox(limits);
  let heartbeatTimer: NodeJS.Timeout | undefined;
  let flushScheduled = false;
  let heldBack = false;
  let refused = 0;
  let started: PromiseWithResolvers<void> | undefined;
  let stopped: Promise<void> | undefined;
  let onProgress = () => {};

  const runner = createTaskRunner({
    registry,
    slots,
    limits,
    logger,
    onResult(result) {
      outbox.add(result);
      scheduleFlush();
    },
    onUrgentHeartbeats: (heartbeats) => void connection.send(heartbeatFrame(heartbeats)),
    onIdle: () => onProgress(),
    isConnected: () => connection.connected,
    isBlocked: () => outbox.full,
  });

  const connection = createConnection({
    transport,
    limits,
    logger,
    address: options.transport === undefined ? address : "in process",
    hello,
    onWelcome,
    onFrame(frame) {
      switch (frame.case) {
        case "tasks":
          runner.deliver(frame.value.tasks);
          break;
        case "cancel":
          runner.abandon(frame.value.taskIds, new Error("the task was canceled"));
          break;
        case "acknowledge":
          outbox.acknowledge(Number(frame.value.upToFrame));
          runner.resume();
          onProgress();
          break;
        case "refusals":
          refused += frame.value.refusals.length;
          logger.debug({ refusals: frame.value.refusals }, "the server refused results");
          break;
        default:
          // A frame of a newer contract: what it means for this worker nobody can say, and a stream must not die of it.
          break;
      }
    },
    onDrain() {
      heldBack = false;
      scheduleFlush();
    },
    onDown: () => clearInterval(heartbeatTimer),
    onRefused(error) {
      started?.reject(error);
    },
  });

  function hello(): WorkerHello {
    return {
      $typeName: "heddle.worker.v1.WorkerHello",
      namespace: options.namespace ?? config.namespace,
      workerId,
      capabilities: registry.capabilities(),
      slots,
      held: [...runner.held(), ...outbox.held()].slice(0, HELD_MAX),
      labels: options.labels ?? {},
      client: CLIENT,
    };
  }

  function onWelcome({ heartbeatIntervalMs, droppedTaskIds }: WorkerWelcome): void {
    runner.abandon(droppedTaskIds, new Error("the task's lease was lost: it is over, or another worker has it"));
    outbox.drop(new Set(droppedTaskIds));
    heldBack = false;
    for (const frame of outbox.unacknowledged()) sendResults(frame);
    flush();
    if (stopped !== undefined) connection.send(DRAIN);
    sendHeartbeats();
    clearInterval(heartbeatTimer);
    heartbeatTimer = setInterval(sendHeartbeats, Math.max(1, Number(heartbeatIntervalMs)));
    started?.resolve();
    onProgress();
  }

  function sendHeartbeats(): void {
    const heartbeats = runner.heartbeats();
    if (heartbeats.length > 0) connection.send(heartbeatFrame(heartbeats));
  }

  /** All results of one turn of the event loop leave together: no wait when one is alone, few frames when there are many. */
  function scheduleFlush(): void {
    if (flushScheduled || heldBack) return;
    flushScheduled = true;
    setImmediate(() => {
      flushScheduled = false;
      flush();
    });
  }

  function flush(): void {
    if (!connection.connected || heldBack) return;
    for (const frame of outbox.takeFrames()) sendResults(frame);
  }

  function sendResults({ number, results }: ResultFrame): void {
    const value = { $typeName: "heddle.worker.v1.WorkerResults" as const, frame: BigInt(number), results };
    if (!connection.send({ case: "results", value })) heldBack = true;
  }

  async function drainAndClose(drainMs: number): Promise<void> {
    if (connection.connected) connection.send(DRAIN);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      onProgress = () => {
        if (runner.held().length > 0 || outbox.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      onProgress();
    });
    onProgress = () => {};
    runner.abandonAll(new Error("the worker stops"));
    runner.close();
    clearInterval(heartbeatTimer);
    await connection.close();
    if (options.transport === undefined) transport.close();
    started?.resolve();
  }

  const worker: Worker = {
    start() {
      if (stopped !== undefined) return Promise.reject(new Error("a worker that was stopped does not start again"));
      if (started === undefined) {
        started = Promise.withResolvers();
        connection.open();
      }
      return started.promise;
    },
    stop({ drainMs = DEFAULT_DRAIN_MS } = {}) {
      stopped ??= drainAndClose(drainMs);
      return stopped;
    },
    get stats() {
      const { connected, outages } = connection;
      return { workerId, slots, connected, ...runner.stats, unacknowledged: outbox.size, refused, outages };
    },
  };
  if (options.stopOnSignal === true)
    closeOnSignal({ close: () => worker.stop(), logger, timeoutMs: DEFAULT_DRAIN_MS + 5_000 });
  return worker;
}

const DRAIN: Frame = { case: "drain", value: { $typeName: "heddle.worker.v1.WorkerDrain" } };

function heartbeatFrame(heartbeats: ReturnType<ReturnType<typeof createTaskRunner>["heartbeats"]>): Frame {
  return { case: "heartbeats", value: { $typeName: "heddle.worker.v1.WorkerHeartbeats", heartbeats } };
}
