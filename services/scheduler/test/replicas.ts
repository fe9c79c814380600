import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DomainError } from "@heddle/errors";
import { type BidiStream, createDialer, type Dialer } from "@heddle/rpc";
import { SHARDS, shardOf } from "@heddle/shards";
import { LinkService, type OpenLinkResponse } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { ALL_PARTITIONS, type TaskInit } from "./harness.ts";

const MAIN = fileURLToPath(new URL("replica-process.ts", import.meta.url));

/** A replica of the scheduler in a process of its own. */
export interface Replica {
  readonly owner: string;
  readonly address: string;
  readonly child: ChildProcess;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL, also of one that hangs; resolves when it has ended. */
  kill(): Promise<void>;
}

export async function startReplica(owner: string, port: number, url: string): Promise<Replica> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, owner, String(port), url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    exited.then(([code]) => {
      throw new Error(`replica ${owner} ended with code ${code} before it was ready`);
    }),
  ]);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    owner,
    address: `http://127.0.0.1:${port}`,
    child,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

/** An owner of executions as far as the scheduler sees it: a link for each shard, wherever its owner is. */
export interface ExecutionOwner {
  /** Tasks that it wants and has no result of. */
  readonly open: ReadonlyMap<string, TaskInit>;
  /** The first result of each task. */
  readonly accepted: ReadonlyMap<string, TaskResult>;
  /** Results of tasks that had one. */
  readonly repeated: number;
  /** Tasks for which links were welcomed, by shard, with the epoch of each. */
  epochOf(shard: number): bigint;
  schedule(tasks: readonly TaskInit[]): void;
  untilDone(): Promise<void>;
  close(): void;
}

const SILENCE_MS = 1_500;
const RETRY_MS = 50;

/** Does in few lines what the execution service does: redirects, silence, epochs, a sync after each welcome. */
export function createExecutionOwner(addresses: readonly string[]): ExecutionOwner {
  const dialer = createDialer();
  const open = new Map<string, TaskInit>();
  const accepted = new Map<string, TaskResult>();
  const epochs = new Map<number, bigint>();
  const links = Array.from({ length: SHARDS }, (_, shard) =>
    openShard({ shard, addresses, dialer, open, accept, epochs }),
  );
  let repeated = 0;
  let onDone = () => {};

  function accept(results: readonly TaskResult[]): void {
    for (const result of results) {
      if (accepted.has(result.taskId)) {
        repeated += 1;
        continue;
      }
      accepted.set(result.taskId, result);
      open.delete(result.taskId);
    }
    if (open.size === 0) onDone();
  }

  return {
    open,
    accepted,
    get repeated() {
      return repeated;
    },
    epochOf: (shard) => epochs.get(shard) ?? 0n,
    schedule(tasks) {
      for (const task of tasks) open.set(task.taskId, task);
      for (const [shard, link] of links.entries()) {
        const part = tasks.filter(({ namespace = "" }) => shardOf(namespace) === shard);
        if (part.length > 0) link.schedule(part);
      }
    },
    untilDone: () =>
      new Promise((resolve) => {
        onDone = resolve;
        if (open.size === 0) resolve();
      }),
    close() {
      for (const link of links) link.close();
      dialer.close();
    },
  };
}

interface ShardOptions {
  shard: number;
  addresses: readonly string[];
  dialer: Dialer;
  open: ReadonlyMap<string, TaskInit>;
  accept(results: readonly TaskResult[]): void;
  epochs: Map<number, bigint>;
}

function openShard({ shard, addresses, dialer, open, accept, epochs }: ShardOptions) {
  let stream: BidiStream<object> | undefined;
  let welcomed = false;
  let attempts = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function connect(address: string): void {
    const opened: { stream?: BidiStream<object> } = {};
    const over = (error?: Error) => {
      if (stream !== opened.stream || closed) return;
      welcomed = false;
      stream = undefined;
      opened.stream?.cancel();
      attempts += 1;
      const named = error instanceof DomainError ? error.metadata["owner_address"] : "";
      // Not where the silence was.
      const others = addresses.filter((each) => each !== address);
      clearTimeout(timer);
      timer = setTimeout(connect, RETRY_MS, named || (others[attempts % others.length] as string));
    };
    const watch = () => {
      clearTimeout(timer);
      timer = setTimeout(over, SILENCE_MS);
    };
    stream = dialer.dial(address).openStream(LinkService.method.openLink, {
      onMessage(message) {
        if (stream !== opened.stream) return;
        watch();
        receive(message, over);
      },
      onEnd: over,
    });
    opened.stream = stream;
    watch();
    stream.send({ frame: { case: "hello", value: { ownerId: "owner", shard } } });
  }

  function receive({ frame }: OpenLinkResponse, over: () => void): void {
    if (frame.case === "welcome") {
      if (frame.value.schedulerEpoch < (epochs.get(shard) ?? 0n)) return over();
      epochs.set(shard, frame.value.schedulerEpoch);
      welcomed = true;
      const tasks = [...open.values()].filter(({ namespace = "" }) => shardOf(namespace) === shard);
      stream?.send({ frame: { case: "sync", value: { partitions: ALL_PARTITIONS, tasks, last: true } } });
    }
    if (frame.case === "results") {
      accept(frame.value.results);
      stream?.send({ frame: { case: "acknowledge", value: { upToFrame: frame.value.frame } } });
    }
  }

  connect(addresses[shard % addresses.length] as string);
  return {
    schedule(tasks: readonly TaskInit[]) {
      if (welcomed) stream?.send({ frame: { case: "schedule", value: { tasks } } });
    },
    close() {
      closed = true;
      clearTimeout(timer);
      stream?.cancel();
    },
  };
}
