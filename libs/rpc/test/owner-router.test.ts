import { setTimeout as sleep } from "node:timers/promises";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { afterEach, expect, it } from "vitest";
import {
  createDialer,
  createGrpcTransport,
  createOwnerRouter,
  createRpcClient,
  createServer,
  type PartitionDirectory,
  type PartitionOwner,
} from "../src/index.ts";
import { silent } from "./echo-server.ts";
import { type Echo, EchoService } from "./echo-service.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** The record that all replicas of a test share. */
function createRecord() {
  const listeners = new Set<() => void>();
  const live = new Map<string, PartitionOwner>();
  let owner: string | undefined;
  const changed = (): void => [...listeners].forEach((listener) => listener());
  return {
    live,
    give(to: string | undefined) {
      owner = to;
      changed();
    },
    bury(name: string) {
      live.delete(name);
      changed();
    },
    directoryOf: (name: string, believes: () => boolean): PartitionDirectory => ({
      owner: name,
      isOwned: () => owner === name || believes(),
      findOwner: async () => (owner === undefined ? undefined : live.get(owner)),
      isLive: (other) => live.has(other),
      onOwnersChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    }),
  };
}

type Record = ReturnType<typeof createRecord>;
type Act = (request: Echo, context: HandlerContext) => Promise<Echo>;

async function startReplica(record: Record, name: string, act: Act, options: { waitMaxMs?: number } = {}) {
  const replica = { calls: 0, believes: false };
  const dialer = createDialer();
  const handle: Act = (request, context) => {
    replica.calls += 1;
    return act(request, context);
  };
  const router = createOwnerRouter({
    directory: record.directoryOf(name, () => replica.believes),
    dial: dialer.dial,
    ...options,
  });
  const partitionOf = (): number => 7;
  const server = createServer({
    routes: (routes) =>
      routes.service(EchoService, {
        once: router.unary(EchoService.method.once, { partitionOf, handle }),
        read: router.unary(EchoService.method.read, { partitionOf, handle }),
        down: router.stream(EchoService.method.down, {
          partitionOf,
          async *handle(request, context) {
            replica.calls += 1;
            for (let count = request.count + 1; count <= 6; count++) {
              yield { ...request, count };
              if (count === 3) await act(request, context);
            }
          },
          resume: (request, { count }) => ({ ...request, count }),
        }),
      }),
    logger: silent,
  });
  const { url } = await server.listen();
  record.live.set(name, { owner: name, address: url });
  const transport = createGrpcTransport(url);
  const close = async (): Promise<void> => {
    transport.close();
    dialer.close();
    await server.close({ drainMs: 0 });
  };
  closers.push(close);
  return Object.assign(replica, { client: createRpcClient(EchoService, transport), close });
}

const echo: Act = async (request) => request;
const refuse =
  (reason: string): Act =>
  () =>
    Promise.reject(new DomainError({ kind: "unavailable", reason, message: "no", retryAfterMs: 10 }));

it("handles what is here, and passes on what is not, with the caller's deadline and trace", async () => {
  const record = createRecord();
  let seen: HandlerContext | undefined;
  const a = await startReplica(record, "a", echo);
  const b = await startReplica(record, "b", async (request, context) => {
    seen = context;
    return request;
  });
  record.give("a");
  expect(await a.client.once({ text: "here" })).toMatchObject({ text: "here" });
  record.give("b");
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  expect(await a.client.once({ text: "there" }, { timeoutMs: 5_000, headers })).toMatchObject({ text: "there" });
  expect([a.calls, b.calls]).toEqual([1, 1]);
  expect(seen?.requestHeader.get("traceparent")).toBe(headers.traceparent);
  expect(seen?.timeoutMs()).toBeLessThanOrEqual(5_000);
});

it("passes nothing on twice: who believes in an owner that has nothing any more is told so and looks again", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", echo);
  const b = await startReplica(record, "b", echo);
  const c = await startReplica(record, "c", refuse("PARTITION_NOT_OWNED"));
  record.give("c");
  // c refuses; until the record says b, the call waits at a. c itself never calls b.
  const call = a.client.once({ text: "x" });
  await expect.poll(() => c.calls).toBeGreaterThan(0);
  record.give("b");
  expect(await call).toMatchObject({ text: "x" });
  expect(b.calls).toBe(1);
});

it("waits while there is no owner, and says PARTITION_NOT_OWNED when that takes too long", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", echo, { waitMaxMs: 300 });
  await expect(a.client.read({})).rejects.toMatchObject({ reason: "PARTITION_NOT_OWNED", retryAfterMs: 100 });
  const waiting = a.client.once({ text: "at last" });
  await sleep(50);
  record.give("a");
  expect(await waiting).toMatchObject({ text: "at last" });
});

it("repeats after an unknown outcome what may be repeated, and nothing else", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", echo);
  const b = await startReplica(record, "b", async (request, { signal }) => {
    await sleep(60_000, undefined, { signal });
    return request;
  });
  record.give("b");
  const read = a.client.read({ text: "again" });
  const once = a.client.once({ text: "not again" }).catch((error: unknown) => error);
  const down = collect(a.client.down({ text: "stream" }));
  await expect.poll(() => b.calls).toBe(3);
  await b.close();
  record.bury("b");
  record.give("a");
  expect(await read).toMatchObject({ text: "again" });
  expect(await once).toMatchObject({ kind: "unavailable", reason: "COMMIT_OUTCOME_UNKNOWN", retryAfterMs: 500 });
  expect((await down).map(({ count }) => count)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(a.calls).toBe(2);
});

it("gives up an owner that hangs as soon as the record calls it dead", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", echo);
  const hanging = await startReplica(record, "hanging", async (request, { signal }) => {
    await sleep(60_000, undefined, { signal });
    return request;
  });
  record.give("hanging");
  const read = a.client.read({ text: "x" });
  const down = collect(a.client.down({ text: "x" }));
  await expect.poll(() => hanging.calls).toBe(2);
  record.give("a");
  record.bury("hanging");
  expect(await read).toMatchObject({ text: "x" });
  expect((await down).map(({ count }) => count)).toEqual([1, 2, 3, 4, 5, 6]);
});

it("runs a call again at the next owner when its own refusal says that nothing has happened", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", refuse("PARTITION_LOST"));
  const b = await startReplica(record, "b", echo);
  a.believes = true;
  const call = a.client.once({ text: "x" });
  await expect.poll(() => a.calls).toBeGreaterThan(0);
  a.believes = false;
  record.give("b");
  expect(await call).toMatchObject({ text: "x" });
  expect(b.calls).toBe(1);
});

it("lets a failure of what the call is about through", async () => {
  const record = createRecord();
  const a = await startReplica(record, "a", echo);
  const b = await startReplica(record, "b", refuse("DEPENDENCY_UNAVAILABLE"));
  record.give("b");
  await expect(a.client.read({})).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
  expect(b.calls).toBe(1);
});

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}
