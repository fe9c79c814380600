import { equals } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Execution, type NodeExecution, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import { nodeStatusName } from "./names.ts";

/** What differs in a node of two executions. */
export interface NodeDifference {
  nodeId: string;
  /** The fields that differ, in this order; `only_before` and `only_after` stand alone. */
  differs: ("only_before" | "only_after" | "status" | "attempt" | "input" | "output" | "failure")[];
  before?: NodeExecution;
  after?: NodeExecution;
}

/** The nodes of two executions that differ, in the order of the second one; those that only the first one has at the end. */
export function compareExecutions(before: Execution, after: Execution): NodeDifference[] {
  const old = new Map(before.nodes.map((node) => [node.nodeId, node]));
  const known = new Set(after.nodes.map(({ nodeId }) => nodeId));
  const gone = before.nodes.filter(({ nodeId }) => !known.has(nodeId));
  return [
    ...after.nodes.map((node) => compareNodes(old.get(node.nodeId), node)),
    ...gone.map((node) => compareNodes(node, undefined)),
  ].filter(({ differs }) => differs.length > 0);
}

function compareNodes(before: NodeExecution | undefined, after: NodeExecution | undefined): NodeDifference {
  const nodeId = (after ?? before)?.nodeId ?? "";
  if (before === undefined || after === undefined) {
    return { nodeId, differs: [before === undefined ? "only_after" : "only_before"], before, after };
  }
  const differs: NodeDifference["differs"] = [];
  if (before.status !== after.status) differs.push("status");
  if (before.attempt !== after.attempt) differs.push("attempt");
  // What was taken over did not run, so it has no input here.
  if (!before.reused && !after.reused && !isSame(before.input, after.input)) differs.push("input");
  if (!isSame(before.output, after.output)) differs.push("output");
  if (before.failure?.type !== after.failure?.type || before.failure?.message !== after.failure?.message) {
    differs.push("failure");
  }
  return { nodeId, differs, before, after };
}

function isSame(one: Value | undefined, other: Value | undefined): boolean {
  return one === undefined || other === undefined ? one === other : equals(ValueSchema, one, other);
}

/** The state of a node in a word or two. */
export function describeState(node: NodeExecution | undefined): string {
  if (node === undefined) return "not there";
  const attempts = node.attempt > 1 ? `, attempt ${node.attempt}` : "";
  const reused = node.reused ? ", reused" : "";
  return `${nodeStatusName(node.status ?? NodeStatus.UNSPECIFIED)}${attempts}${reused}`;
}
