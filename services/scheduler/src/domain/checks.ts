import { DomainError, type FieldViolation } from "@heddle/errors";
import type { WorkerHello } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { LinkHello } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import { type Task, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { SHARDS, shardOf } from "@heddle/shards";
import { PARTITIONS } from "./task-id.ts";

/*
 * The rules of the two streams' protos, written out: frames of thousands of messages pass here, and checking each against
 * its descriptor would cost more than all that is done with it.
 */

const MAX_ITEMS = 10_000;
const MAX_HELD = 100_000;
const MAX_SLOTS = 100_000;
const MAX_ID_LENGTH = 128;
const MAX_NAMESPACE_LENGTH = 63;
const MAX_CAPABILITIES = 1_000;
const MAX_DESCRIPTION_LENGTH = 4_096;
const MAX_LABELS = 32;

export function helloExpected(what: string): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "HELLO_EXPECTED",
    message: `the first frame of the stream must be \`hello\`, and no later one may be: ${what}`,
  });
}

export function checkWorkerHello(hello: WorkerHello): void {
  const violations: FieldViolation[] = [];
  const check = (holds: boolean, field: string, description: string) => {
    if (!holds) violations.push({ field: `hello.${field}`, description });
  };
  const { workerId, namespace, capabilities, slots, held, labels, client } = hello;
  check(isBetween(workerId.length, 1, MAX_ID_LENGTH), "worker_id", `must have 1 to ${MAX_ID_LENGTH} characters`);
  check(namespace.length <= MAX_NAMESPACE_LENGTH, "namespace", `must have at most ${MAX_NAMESPACE_LENGTH} characters`);
  check(
    isBetween(capabilities.length, 1, MAX_CAPABILITIES),
    "capabilities",
    `must have 1 to ${MAX_CAPABILITIES} items`,
  );
  check(isBetween(slots, 1, MAX_SLOTS), "slots", `must be 1 to ${MAX_SLOTS}`);
  check(held.length <= MAX_HELD, "held", `must have at most ${MAX_HELD} items`);
  check(Object.keys(labels).length <= MAX_LABELS, "labels", `must have at most ${MAX_LABELS} pairs`);
  check(client.length <= MAX_ID_LENGTH, "client", `must have at most ${MAX_ID_LENGTH} characters`);
  for (const [index, { type, name, description }] of capabilities.slice(0, MAX_CAPABILITIES).entries()) {
    const field = `capabilities[${index}]`;
    check(type === TaskType.TOOL || type === TaskType.AGENT, `${field}.type`, "must be tool or agent");
    check(isBetween(name.length, 1, MAX_ID_LENGTH), `${field}.name`, `must have 1 to ${MAX_ID_LENGTH} characters`);
    check(description.length <= MAX_DESCRIPTION_LENGTH, `${field}.description`, "must have at most 4096 characters");
  }
  throwIfAny(violations, "WorkerHello");
}

export function checkLinkHello({ ownerId, shard }: LinkHello): void {
  const violations: FieldViolation[] = [];
  if (!isBetween(ownerId.length, 1, MAX_ID_LENGTH)) {
    violations.push({ field: "hello.owner_id", description: `must have 1 to ${MAX_ID_LENGTH} characters` });
  }
  if (shard >= SHARDS)
    violations.push({ field: "hello.shard", description: `must be 0 to ${SHARDS - 1}, is ${shard}` });
  throwIfAny(violations, "LinkHello");
}

/** The first task speaks for its frame: whoever sends to a wrong shard knows none, or another number of them. */
export function checkShard(shard: number, [task]: readonly Task[]): void {
  if (task === undefined || shardOf(task.namespace) === shard) return;
  const description = `namespace ${task.namespace} belongs to shard ${shardOf(task.namespace)}, and this link is for shard ${shard}`;
  throwIfAny([{ field: "tasks", description }], "the frame");
}

export function checkPartitions(partitions: readonly number[]): void {
  const wrong = partitions.find((each) => each >= PARTITIONS);
  if (wrong === undefined) return;
  throwIfAny([{ field: "sync.partitions", description: `must be 0 to ${PARTITIONS - 1}, has ${wrong}` }], "LinkSync");
}

/** Lists of one frame; `most` differs for those that grow with the slots of a worker. */
export function checkItems(field: string, count: number, most: number = MAX_ITEMS): void {
  if (count <= most) return;
  throwIfAny([{ field, description: `must have at most ${most} items, has ${count}` }], "the frame");
}

export function unknownFrame(): DomainError {
  return new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: "the frame holds none of the forms that this version knows; use clients of the same version of the protos",
    violations: [{ field: "frame", description: "exactly one form is required" }],
  });
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function throwIfAny(violations: FieldViolation[], what: string): void {
  if (violations.length === 0) return;
  const listed = violations.slice(0, 3).map(({ field, description }) => `${field}: ${description}`);
  throw new DomainError({
    kind: "invalid_argument",
    reason: "REQUEST_INVALID",
    message: `${what} is not valid: ${listed.join("; ")}`,
    violations,
  });
}
