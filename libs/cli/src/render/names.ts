import { ExecutionStatus, NodeStatus } from "@heddle/proto/heddle/execution/v1/execution_pb.js";
import type { Style } from "./style.ts";

/** `COMPLETED` → `completed`, `BACKING_OFF` → `backing off`. */
export function nodeStatusName(status: NodeStatus): string {
  return (NodeStatus[status] ?? "unknown").toLowerCase().replaceAll("_", " ");
}

function executionStatusName(status: ExecutionStatus): string {
  return (ExecutionStatus[status] ?? "unknown").toLowerCase();
}

/** The name in the colour that it has everywhere. */
export function paintStatus(status: ExecutionStatus, style: Style): string {
  const name = executionStatusName(status);
  switch (status) {
    case ExecutionStatus.COMPLETED:
      return style.green(name);
    case ExecutionStatus.FAILED:
      return style.red(name);
    case ExecutionStatus.CANCELED:
    case ExecutionStatus.SUSPENDED:
      return style.yellow(name);
    case ExecutionStatus.RUNNING:
      return style.cyan(name);
    case ExecutionStatus.UNSPECIFIED:
      return name;
  }
}

export function isFinal(status: ExecutionStatus): boolean {
  return (
    status === ExecutionStatus.COMPLETED || status === ExecutionStatus.FAILED || status === ExecutionStatus.CANCELED
  );
}
