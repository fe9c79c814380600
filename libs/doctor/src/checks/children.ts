import { partitionOfId } from "../execution-id.ts";
import type { ParentNode, SuiteFacts } from "../facts.ts";
import { aboutExecution, type Finding } from "../finding.ts";
import type { Check } from "./check.ts";

export const children: Check = {
  id: "children",
  claim: "each child has a parent that waits for it, unless it may outlive it, and each parent's child is there",
  subject: "children and waiting parents",
  remedy:
    "restart the execution service: recovery starts missing children, tells parents how theirs ended, and cancels orphans. An orphan can also be ended by `heddle cancel`",
  run(facts, report) {
    let looked = 0;
    for (const { executionId, ended, quarantined, waits } of facts.live.values()) {
      if (ended || quarantined) continue;
      for (const { nodeId, childExecutionId } of waits) {
        if (childExecutionId === undefined) continue;
        looked += 1;
        const what = findLostChild(childExecutionId, facts);
        if (what === undefined) continue;
        const message = `node ${nodeId} waits for child ${childExecutionId}, ${what}`;
        report(aboutExecution(executionId, `child ${childExecutionId}`, message, { executionIds: [childExecutionId] }));
      }
    }
    for (const { executionId, parent } of listUnendedChildren(facts)) {
      looked += 1;
      const finding = findOrphan(executionId, parent, facts);
      if (finding !== undefined) report(finding);
    }
    return looked;
  },
};

function* listUnendedChildren({ live, stored }: SuiteFacts): Iterable<{ executionId: string; parent: ParentNode }> {
  for (const { executionId, ended, quarantined, parent } of live.values()) {
    if (!ended && !quarantined && parent !== undefined) yield { executionId, parent };
  }
  for (const { executionId, ended, parent } of stored.values()) {
    if (!ended && parent !== undefined && !live.has(executionId)) yield { executionId, parent };
  }
}

function findLostChild(id: string, { live, stored }: SuiteFacts): string | undefined {
  const inMemory = live.get(id);
  const kept = stored.get(id);
  if (inMemory === undefined && kept === undefined) return "which does not exist";
  // As of now, if it is in memory; one that has left memory has ended.
  const hasEnded = inMemory?.ended ?? kept?.ended ?? false;
  return hasEnded ? "which has ended: its parent was not told" : undefined;
}

function findOrphan(executionId: string, parent: ParentNode, facts: SuiteFacts): Finding | undefined {
  if (parent.outlives) return undefined;
  const id = parent.executionId;
  const orphan = (why: string): Finding =>
    aboutExecution(executionId, "orphan", `runs for its parent ${id}, ${why}: nobody will use what it does`, {
      executionIds: [id],
    });
  const inMemory = facts.live.get(id);
  const kept = facts.stored.get(id);
  if (inMemory === undefined && kept === undefined) return orphan("which does not exist");
  if (inMemory?.quarantined === true) return undefined;
  if (inMemory?.ended ?? kept?.ended ?? false) return orphan("which has ended");
  // A parent that should be in memory and is not has a finding of its own.
  if (inMemory === undefined || !facts.inspectedPartitions.has(partitionOfId(id))) return undefined;
  const isAwaited = inMemory.waits.some(({ childExecutionId }) => childExecutionId === executionId);
  return isAwaited ? undefined : orphan(`whose node ${parent.nodeId} does not wait for it`);
}
