import type { Check } from "./check.ts";
import { eventsOf, isEnd, timeOf } from "./history.ts";

export const slotsKept: Check = {
  id: "slots-kept",
  promise: 6,
  claim: "handlers ran within their worker's slots",
  run({ effects, slots }, look) {
    for (const { phase, worker, running = 0, key } of effects) {
      if (phase === "begin") look(running > slots ? `${worker} ran ${running} at once with ${key}` : undefined);
    }
  },
};

export const nothingLeaked: Check = {
  id: "nothing-leaked",
  promise: 6,
  claim: "queues and workers hold nothing at the end",
  run({ queues, workers }, look) {
    for (const { name, waiting, running } of queues) {
      look(waiting + running > 0 ? `queue ${name}: ${waiting} wait and ${running} run` : undefined);
    }
    for (const { workerId, running } of workers) {
      look(running > 0 ? `worker ${workerId} is said to run ${running}` : undefined);
    }
  },
};

export const cancelsEnd: Check = {
  id: "cancels-end",
  promise: 6,
  claim: "cancels ended what they were for, with the children that may not outlive it",
  run({ cancels, executions, histories, listed }, look) {
    for (const [id, answer] of cancels) {
      const status = executions.get(id)?.status;
      const isRight = answer === "canceled" ? status === "canceled" : status === "completed" || status === "failed";
      look(isRight ? undefined : `${id}: its cancel was answered with ${answer}, and it is ${status}`);
    }
    for (const { executionId, parent } of listed) {
      const started = eventsOf(histories.get(executionId) ?? [], "executionStarted")[0];
      if (parent === undefined || started?.value.outlivesParent === true) continue;
      const end = histories.get(parent.executionId)?.find(isEnd);
      const own = histories.get(executionId)?.find(isEnd);
      if (end !== undefined) look(own === undefined ? `${executionId} outlived ${parent.executionId}` : undefined);
    }
  },
};

export const childrenAsked: Check = {
  id: "children-asked",
  promise: 6,
  claim: "children were asked for before they started",
  run({ histories }, look) {
    for (const [id, history] of histories) {
      const parentId = eventsOf(history, "executionStarted")[0]?.value.parentExecutionId ?? "";
      const first = history[0];
      if (parentId === "" || first === undefined) continue;
      const parent = histories.get(parentId) ?? [];
      const isAsked = [...eventsOf(parent, "childStarted"), ...eventsOf(parent, "itemStarted")].some(
        ({ value, at }) => value.childId === id && at <= timeOf(first),
      );
      look(isAsked ? undefined : `${id} was started for ${parentId}, which did not ask for it before`);
    }
  },
};
