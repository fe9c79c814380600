import type { HandlerContext } from "@connectrpc/connect";
import type { ConnectRequest, ConnectResponse, WorkerHello } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import { type Dial, FORWARDED_HEADER } from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import type { SchedulerContext } from "../context.ts";
import { checkItems, checkWorkerHello, helloExpected, unknownFrame } from "../domain/checks.ts";
import type { Worker, WorkerOutbox } from "../domain/model.ts";
import { takeWorkerFrames, workerFrame } from "../domain/outgoing.ts";
import { takeResults } from "../domain/results.ts";
import { connectWorker, createWorkerOutbox, disconnectWorker, drainWorker, renewLeases } from "../domain/workers.ts";
import { runDuplex, type DuplexSession } from "../duplex.ts";
import type { SchedulerLimits } from "../limits.ts";
import { shardNotOwned } from "../shards/not-owned.ts";
import type { ShardSet } from "../shards/shard-set.ts";
import { passOnStream } from "./pass-on-stream.ts";

const MAX_HEARTBEATS = 100_000;

/** The stream of one worker. At a replica that does not own the worker's namespace it is passed on to the one that does. */
export function handleConnect(
  shards: ShardSet,
  dial: Dial | undefined,
  requests: AsyncIterable<ConnectRequest>,
  call: HandlerContext,
): AsyncIterable<ConnectResponse> {
  return runDuplex<ConnectRequest, ConnectResponse>({
    requests,
    signal: call.signal,
    async open({ frame }, wake) {
      if (frame.case !== "hello") throw helloExpected(`it is \`${frame.case ?? "empty"}\``);
      checkWorkerHello(frame.value);
      const shard = shardOf(frame.value.namespace);
      const place = await shards.locate(shard, call.signal, call.requestHeader.has(FORWARDED_HEADER));
      if (place.here !== undefined) return openSession(place.here, frame.value, wake);
      if (dial === undefined) throw shardNotOwned(shard, place.owner);
      const transport = dial(place.owner.address);
      return { passOn: (frames) => passOnStream({ shards, shard, place, transport, frames, call }) };
    },
  });
}

function openSession(
  context: SchedulerContext,
  hello: WorkerHello,
  wake: () => void,
): DuplexSession<ConnectRequest, ConnectResponse> {
  const { state, clock, turns } = context;
  const outbox = createWorkerOutbox(wake);
  const { worker, droppedTaskIds } = connectWorker(state, hello, outbox, clock.now());
  turns.request();
  let first = [welcome(state.limits, droppedTaskIds)];
  return {
    outbox,
    onFrame(request) {
      handleFrame(context, worker, outbox, request);
      return undefined;
    },
    register: context.sessions.add,
    take() {
      if (!context.maySend()) return [];
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
