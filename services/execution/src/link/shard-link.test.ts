import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { DomainError } from "@heddle/errors";
import { type OpenLinkRequest, OpenLinkResponseSchema } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { TaskSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { RpcTransport, StreamHandlers } from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import { createLogger } from "@heddle/telemetry";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { firstFrameTimeoutMs } from "../domain/limits.ts";
import { createOpenTasks } from "./open-tasks.ts";
import { createReplicas } from "./replicas.ts";
import { createShardLink } from "./shard-link.ts";

/** A stream that the link has opened, played by the test. */
interface Opened {
  address: string;
  sent: OpenLinkRequest["frame"][];
  canceled: boolean;
  say(frame: NonNullable<MessageInitShape<typeof OpenLinkResponseSchema>["frame"]>): void;
  end(error?: Error): void;
}

const SHARD = shardOf("default");
let opened: Opened[] = [];
const results: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  results.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

function transportTo(address: string): RpcTransport {
  return {
    openStream(_method: unknown, handlers: StreamHandlers<unknown>) {
      const stream: Opened = {
        address,
        sent: [],
        canceled: false,
        say: (frame) => handlers.onMessage(create(OpenLinkResponseSchema, { frame })),
        end: (error) => handlers.onEnd(error),
      };
      opened.push(stream);
      return {
        send: ({ frame }: OpenLinkRequest) => stream.sent.push(frame),
        cancel: () => (stream.canceled = true),
      };
    },
  } as unknown as RpcTransport;
}

function startLink(tasks: [id: string, namespace: string][] = []) {
  const openTasks = createOpenTasks();
  for (const [taskId, namespace] of tasks) openTasks.add(1, create(TaskSchema, { taskId, namespace }));
  const link = createShardLink({
    shard: SHARD,
    replicas: createReplicas(transportTo("service"), transportTo),
    ownerId: "owner",
    openTasks,
    ownedPartitions: () => [1],
    epochOf: (partition) => (partition === 1 ? 7 : undefined),
    partitionOf: (taskId) => Number(taskId.split("/")[1] ?? 1),
    onResults(frame, done) {
      for (const { taskId } of frame) {
        results.push(taskId);
        done(taskId.startsWith("moved") ? taskId : undefined);
      }
    },
    logger: createLogger({ name: "test", level: "silent" }),
  });
  link.start();
  return link;
}

const latest = (): Opened => opened.at(-1) as Opened;
const welcome = (schedulerEpoch: bigint, pulseIntervalMs = 0) =>
  latest().say({ case: "welcome", value: { schedulerEpoch, pulseIntervalMs } });

function notOwned(address: string): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "SHARD_NOT_OWNED",
    message: "elsewhere",
    metadata: { owner_address: address },
    retryAfterMs: 50,
  });
}

it("says what is open of its shard once it is welcome, and nothing before", () => {
  const link = startLink([
    ["mine", "default"],
    ["other", "billing"],
  ]);
  link.schedule([create(TaskSchema, { taskId: "early", namespace: "default" })]);
  expect(latest().sent).toMatchObject([{ case: "hello", value: { ownerId: "owner", shard: SHARD } }]);
  welcome(1n);
  expect(latest().sent[1]).toMatchObject({
    case: "sync",
    value: { partitions: [1], epochs: [7n], tasks: [{ taskId: "mine" }], last: true },
  });
  link.schedule([create(TaskSchema, { taskId: "new", namespace: "default" })]);
  expect(latest().sent[2]).toMatchObject({ case: "schedule", value: { tasks: [{ taskId: "new" }] } });
  link.stop();
});

it("goes at once where the first refusal points to, and back to the service when nobody is there", () => {
  const link = startLink();
  latest().end(notOwned("http://b:1"));
  vi.advanceTimersByTime(0);
  expect(opened.map(({ address }) => address)).toEqual(["service", "http://b:1"]);
  latest().end(new Error("connection refused"));
  vi.advanceTimersByTime(49);
  expect(opened).toHaveLength(2);
  vi.advanceTimersByTime(200);
  expect(opened.map(({ address }) => address)).toEqual(["service", "http://b:1", "service"]);
  link.stop();
});

it("does not run in circles between replicas that point to each other", () => {
  const link = startLink();
  for (let round = 0; round < 6; round++) {
    latest().end(notOwned(round % 2 === 0 ? "http://b:1" : "http://a:1"));
    vi.advanceTimersByTime(1_000);
  }
  const before = opened.length;
  latest().end(notOwned("http://b:1"));
  vi.advanceTimersByTime(300);
  expect(opened).toHaveLength(before);
  link.stop();
});

it("asks again for what it gives back of a partition that is its own by then", async () => {
  const link = startLink([["open", "default"]]);
  welcome(1n);
  const before = latest().sent.length;
  const taskResults = ["moved/1", "moved/2", "moved-too/1"].map((taskId) => ({ taskId }));
  latest().say({ case: "results", value: { frame: 1n, results: taskResults } });
  await Promise.resolve();
  // The sync comes after the word that gives back, and is only about what it has.
  expect(latest().sent.slice(before)).toMatchObject([
    { case: "acknowledge", value: { upToFrame: 1n, returnedTaskIds: ["moved/1", "moved/2", "moved-too/1"] } },
    { case: "sync", value: { partitions: [1], tasks: [{ taskId: "open" }], last: true } },
  ]);
  link.stop();
});

it("leaves a replica that falls silent, and takes nothing from it any more", () => {
  const link = startLink();
  welcome(1n, 100);
  const silent = latest();
  vi.advanceTimersByTime(250);
  silent.say({ case: "pulse", value: {} });
  vi.advanceTimersByTime(250);
  expect(silent.canceled).toBe(false);
  vi.advanceTimersByTime(400);
  expect(silent.canceled).toBe(true);
  expect(opened).toHaveLength(2);
  welcome(2n);
  silent.say({ case: "results", value: { frame: 1n, results: [{ taskId: "late" }] } });
  latest().say({ case: "results", value: { frame: 1n, results: [{ taskId: "due" }] } });
  expect(results).toEqual(["due"]);
  expect(latest().sent.at(-1)).toMatchObject({ case: "acknowledge", value: { upToFrame: 1n } });
  link.stop();
});

it("takes no welcome of a lower epoch: that replica has lost the shard and does not know it", () => {
  const link = startLink();
  welcome(7n);
  latest().end(new Error("gone"));
  vi.advanceTimersByTime(50);
  welcome(6n);
  expect([link.connected, latest().canceled]).toEqual([false, true]);
  vi.advanceTimersByTime(1_000);
  welcome(7n);
  expect(link.connected).toBe(true);
  link.stop();
});

it("waits with a replica that shows that it lives, and gives one up that says nothing at all", () => {
  const link = startLink();
  for (let pulse = 0; pulse < 5; pulse++) {
    vi.advanceTimersByTime(firstFrameTimeoutMs - 100);
    latest().say({ case: "pulse", value: {} });
  }
  expect([opened.length, latest().canceled]).toEqual([1, false]);
  vi.advanceTimersByTime(firstFrameTimeoutMs);
  expect(opened[0]?.canceled).toBe(true);
  link.stop();
});

it("opens nothing any more, and leaves no timer, after it was stopped", () => {
  const link = startLink();
  welcome(1n, 100);
  latest().end(new Error("gone"));
  link.stop();
  vi.advanceTimersByTime(60_000);
  expect([opened.length, vi.getTimerCount()]).toEqual([1, 0]);
});
