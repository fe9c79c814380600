import type { Command } from "./commands.ts";
import type { Failure, IncidentResolution } from "./events.ts";
import { findSizeFault } from "./payload-size.ts";
import { isIncident, listOpenIncidents } from "./incident.ts";
import { isFinished } from "./execution-state.ts";
import type { LinkedNode, Turn } from "./plan.ts";
import {
  executionFinished,
  incidentNotOpen,
  incidentReplaced,
  payloadTooLarge,
  resolutionNotPossible,
} from "./refusals.ts";
import { completeNode, failForGood } from "./ends.ts";
import { emit } from "./turn.ts";

/** A person says how to go on with a node that has failed. */
export function resolveIncident(turn: Turn, command: Extract<Command, { type: "resolve_incident" }>): void {
  const { nodeId, resolution, reason } = command;
  const { executionId } = turn.context;
  if (isFinished(turn.state)) throw executionFinished(executionId, turn.state.status, "resolve an incident of");
  const node = turn.plan.nodes[turn.plan.indices.get(nodeId) ?? -1];
  const state = node && turn.state.nodes[node.index];
  if (node === undefined || state === undefined || !isIncident(state)) throw incidentNotOpen(nodeId, state);
  checkIdentity(turn, node, command.openedAt);
  checkResolution(turn, node, resolution);
  const failure = state.failure as Failure;
  emit(turn, { type: "incident_resolved", at: turn.at, nodeId, resolution, reason });
  switch (resolution.action) {
    case "complete":
      return completeNode(turn, node, resolution.output);
    case "skip":
      return emit(turn, { type: "error_handled", at: turn.at, nodeId, failure, outcome: { action: "skip" } });
    case "fail":
      return failForGood(turn, node, failure);
    case "retry":
    // It is ready again: `drive` begins it.
  }
}

/** Who has looked at one failure must not decide about the next. */
function checkIdentity({ state }: Turn, { index, id }: LinkedNode, wanted: number | undefined): void {
  const opened = listOpenIncidents(state).find(({ node }) => node === index)?.openedAt;
  if (wanted !== undefined && opened !== undefined && Math.round(opened) !== wanted) throw incidentReplaced(id);
}

function checkResolution({ maxPayloadBytes }: Turn, node: LinkedNode, resolution: IncidentResolution): void {
  const { kind } = node.definition;
  const value =
    resolution.action === "complete" ? resolution.output : resolution.action === "retry" ? resolution.input : undefined;
  const fault = value === undefined ? undefined : findSizeFault(value, maxPayloadBytes);
  if (fault !== undefined) throw payloadTooLarge(resolution.action === "complete" ? "output" : "input", fault);
  if (resolution.action !== "retry") return;
  if (kind === "parallel")
    throw resolutionNotPossible(
      node.id,
      "a parallel cannot be retried, since its branches have ended; complete or skip it",
    );
  if (resolution.input !== undefined && kind !== "task" && kind !== "sub_workflow")
    throw resolutionNotPossible(
      node.id,
      "only the input of a tool, an agent or a sub-workflow can be mended; retry without one",
    );
}
