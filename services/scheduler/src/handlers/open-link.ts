import type { OpenLinkRequest, OpenLinkResponse } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import {
  checkItems,
  checkLinkHello,
  checkPartitions,
  checkShard,
  helloExpected,
  unknownFrame,
} from "../domain/checks.ts";
import {
  acknowledgeResults,
  cancelTasks,
  closeLink,
  openLink,
  scheduleTasks,
  syncTasks,
  takeBackResults,
} from "../domain/links.ts";
import type { Owner } from "../domain/model.ts";
import { linkFrame, pulseFrame, takeLinkFrames } from "../domain/outgoing.ts";
import { runDuplex, type DuplexSession } from "../duplex.ts";
import { shardNotOwned } from "../shards/not-owned.ts";
import type { ShardSet } from "../shards/shard-set.ts";

/** The stream of one owner of executions for one shard. Refused with the owner's address by a replica that does not own it. */
export function handleOpenLink(
  shards: ShardSet,
  requests: AsyncIterable<OpenLinkRequest>,
  signal: AbortSignal,
): AsyncIterable<OpenLinkResponse> {
  return runDuplex({
    requests,
    signal,
    async open({ frame }, wake) {
      if (frame.case !== "hello") throw helloExpected(`it is \`${frame.case ?? "empty"}\``);
      checkLinkHello(frame.value);
      const { shard, ownerId } = frame.value;
      const { here } = await shards.locate(shard, signal, true);
      if (here === undefined) throw shardNotOwned(shard, undefined);
      return openSession(here, ownerId, wake);
    },
    waiting: { everyMs: shards.limits.linkPulseIntervalMs, frame: pulseFrame() },
  });
}

function openSession(
  context: SchedulerContext,
  ownerId: string,
  wake: () => void,
): DuplexSession<OpenLinkRequest, OpenLinkResponse> {
  const { state, clock, turns } = context;
  const owner = openLink(state, ownerId, wake, clock.now());
  turns.request();
  const welcome = linkFrame({
    case: "welcome",
    value: {
      $typeName: "heddle.scheduler.v1.LinkWelcome",
      schedulerEpoch: state.epoch,
      pulseIntervalMs: context.pulseIntervalMs,
    },
  });
  let first: OpenLinkResponse[] = [welcome];
  return {
    outbox: owner,
    onFrame: (request) => handleFrame(context, owner, request),
    register: context.sessions.add,
    take() {
      if (!context.maySend()) return [];
      const frames = first.concat(takeLinkFrames(owner, state.limits));
      first = [];
      return frames;
    },
    close() {
      closeLink(state, owner, clock.now());
      turns.request();
    },
  };
}

function handleFrame(context: SchedulerContext, owner: Owner, { frame }: OpenLinkRequest): Promise<void> | undefined {
  const { state, clock, turns, brake } = context;
  // A newer link of the same owner speaks for it.
  if (!owner.connected) return undefined;
  turns.request();
  switch (frame.case) {
    case "schedule":
      checkItems("schedule.tasks", frame.value.tasks.length);
      checkShard(context.shard, frame.value.tasks);
      scheduleTasks(state, owner, frame.value.tasks, clock.now());
      return brake.pause();
    case "acknowledge":
      checkItems("acknowledge.returned_task_ids", frame.value.returnedTaskIds.length);
      takeBackResults(state, owner, frame.value.returnedTaskIds);
      acknowledgeResults(state, owner, frame.value.upToFrame);
      return undefined;
    case "cancel":
      checkItems("cancel.task_ids", frame.value.taskIds.length);
      cancelTasks(state, frame.value.taskIds);
      return undefined;
    case "sync":
      checkPartitions(frame.value.partitions);
      checkItems("sync.tasks", frame.value.tasks.length);
      checkShard(context.shard, frame.value.tasks);
      syncTasks(state, owner, frame.value, clock.now());
      return brake.pause();
    case "hello":
      throw helloExpected("it came again");
    case undefined:
      throw unknownFrame();
  }
}
