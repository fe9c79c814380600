import type { OpenLinkRequest, OpenLinkResponse } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { SchedulerContext } from "../context.ts";
import { checkItems, checkOwnerId, checkPartitions, helloExpected, unknownFrame } from "../domain/checks.ts";
import { acknowledgeResults, cancelTasks, closeLink, openLink, scheduleTasks, syncTasks } from "../domain/links.ts";
import type { Owner } from "../domain/model.ts";
import { linkFrame, takeLinkFrames } from "../domain/outgoing.ts";
import { runDuplex, type DuplexSession } from "../duplex.ts";

/** The stream of one owner of executions. */
export function handleOpenLink(
  context: SchedulerContext,
  requests: AsyncIterable<OpenLinkRequest>,
  signal: AbortSignal,
): AsyncIterable<OpenLinkResponse> {
  return runDuplex({
    requests,
    signal,
    open: (first, wake) => openSession(context, first, wake),
    register: context.sessions.add,
  });
}

function openSession(
  context: SchedulerContext,
  { frame }: OpenLinkRequest,
  wake: () => void,
): DuplexSession<OpenLinkRequest, OpenLinkResponse> {
  if (frame.case !== "hello") throw helloExpected(`it is \`${frame.case ?? "empty"}\``);
  checkOwnerId(frame.value.ownerId);
  const { state, clock, turns } = context;
  const owner = openLink(state, frame.value.ownerId, wake, clock.now());
  turns.request();
  const welcome = linkFrame({
    case: "welcome",
    value: { $typeName: "heddle.scheduler.v1.LinkWelcome", schedulerEpoch: state.epoch },
  });
  let first: OpenLinkResponse[] = [welcome];
  return {
    outbox: owner,
    onFrame: (request) => handleFrame(context, owner, request),
    take() {
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
      scheduleTasks(state, owner, frame.value.tasks, clock.now());
      return brake.pause();
    case "acknowledge":
      acknowledgeResults(state, owner, frame.value.upToFrame);
      return undefined;
    case "cancel":
      checkItems("cancel.task_ids", frame.value.taskIds.length);
      cancelTasks(state, frame.value.taskIds);
      return undefined;
    case "sync":
      checkPartitions(frame.value.partitions);
      checkItems("sync.tasks", frame.value.tasks.length);
      syncTasks(state, owner, frame.value, clock.now());
      return brake.pause();
    case "hello":
      throw helloExpected("it came again");
    case undefined:
      throw unknownFrame();
  }
}
