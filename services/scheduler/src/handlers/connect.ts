import type { ConnectRequest, ConnectResponse } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import { checkItems, checkWorkerHello, helloExpected, unknownFrame } from "../domain/checks.ts";
import type { Worker, WorkerOutbox } from "../domain/model.ts";
import { takeWorkerFrames, workerFrame } from "../domain/outgoing.ts";
import { takeResults } from "../domain/results.ts";
import { connectWorker, createWorkerOutbox, disconnectWorker, drainWorker, renewLeases } from "../domain/workers.ts";
import { runDuplex, type DuplexSession } from "../duplex.ts";
import type { SchedulerLimits } from "../limits.ts";

const MAX_HEARTBEATS = 100_000;

/** The stream of one worker. */
export function handleConnect(
  context: SchedulerContext,
  requests: AsyncIterable<ConnectRequest>,
  signal: AbortSignal,
): AsyncIterable<ConnectResponse> {
  return runDuplex({
    requests,
    signal,
    open: (first, wake) => openSession(context, first, wake),
    register: context.sessions.add,
  });
}

function openSession(
  context: SchedulerContext,
  { frame }: ConnectRequest,
  wake: () => void,
): DuplexSession<ConnectRequest, ConnectResponse> {
  if (frame.case !== "hello") throw helloExpected(`it is \`${frame.case ?? "empty"}\``);
  checkWorkerHello(frame.value);
  const { state, clock, turns } = context;
  const outbox = createWorkerOutbox(wake);
  const { worker, droppedTaskIds } = connectWorker(state, frame.value, outbox, clock.now());
  turns.request();
  let first = [welcome(state.limits, droppedTaskIds)];
  return {
    outbox,
    onFrame(request) {
      handleFrame(context, worker, outbox, request);
      return undefined;
    },
    take() {
      const frames = first.concat(takeWorkerFrames(outbox, state.limits));
      first = [];
      return frames;
    },
    close() {
      disconnectWorker(state, worker, outbox);
      turns.request();
    },
  };
}

function handleFrame(
  { state, clock, turns }: SchedulerContext,
  worker: Worker,
  outbox: WorkerOutbox,
  { frame }: ConnectRequest,
): void {
  // A newer stream of the same worker speaks for it.
  if (worker.outbox !== outbox) return;
  const nowMs = clock.now();
  worker.lastSeenAtMs = nowMs;
  turns.request();
  switch (frame.case) {
    case "results":
      checkItems("results.results", frame.value.results.length);
      takeResults(state, worker, frame.value.frame, frame.value.results, nowMs);
      return;
    case "heartbeats":
      checkItems("heartbeats.heartbeats", frame.value.heartbeats.length, MAX_HEARTBEATS);
      renewLeases(state, worker, frame.value.heartbeats, nowMs);
      return;
    case "drain":
      drainWorker(worker);
      return;
    case "hello":
      throw helloExpected("it came again");
    case undefined:
      throw unknownFrame();
  }
}

function welcome(limits: SchedulerLimits, droppedTaskIds: string[]): ConnectResponse {
  return workerFrame({
    case: "welcome",
    value: {
      $typeName: "heddle.worker.v1.WorkerWelcome",
      leaseDurationMs: BigInt(limits.leaseDurationMs),
      heartbeatIntervalMs: BigInt(Math.floor(limits.leaseDurationMs / 3)),
      droppedTaskIds,
    },
  });
}
