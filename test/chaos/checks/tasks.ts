import type { Effect } from "../record/effects.ts";
import type { RunRecord } from "../record/run-record.ts";
import { PLANNED_FAILURE } from "../workload/program.ts";
import type { Check } from "./check.ts";
import { eventsOf, inlineValue, taskKey } from "./history.ts";

export const effectsCommitted: Check = {
  id: "effects-committed",
  promise: 3,
  claim: "handlers ran only what was committed before",
  run({ effects, histories }, look) {
    const scheduled = scheduledKeys(histories);
    for (const { phase, key, worker } of effects) {
      if (phase !== "begin") continue;
      look(scheduled.has(key) ? undefined : `${worker} ran ${key}, which no history has`);
    }
  },
};

export const completionsReal: Check = {
  id: "completions-real",
  promise: 3,
  claim: "completions are what their worker answered",
  run({ effects, histories }, look) {
    const answers = Map.groupBy(
      effects.filter(({ phase }) => phase === "end"),
      ({ key }) => key,
    );
    for (const [id, history] of histories) {
      for (const { value } of eventsOf(history, "taskCompleted")) {
        const key = taskKey(id, value.nodeId, value.attempt);
        // A large output is stored beside the history: which worker it came from is known all the same.
        const said = inlineValue(value.output) as { n: number } | undefined;
        const isReal = (answers.get(key) ?? []).some(
          ({ worker, result }) => worker === value.worker && (said === undefined || said.n === result),
        );
        look(
          isReal ? undefined : `${key}: ${value.worker} completed it with ${JSON.stringify(said)}, says the history`,
        );
      }
    }
  },
};

/** Types of failures that only a handler gives: none of the engine's own. */
const OF_HANDLERS: ReadonlySet<string> = new Set(["flaky", PLANNED_FAILURE]);

export const failuresReal: Check = {
  id: "failures-real",
  promise: 3,
  claim: "failures of handlers are what their worker answered",
  run({ effects, histories }, look) {
    const answers = new Set(
      effects
        .filter(({ phase }) => phase === "fail")
        .map(({ key, worker, failureType }) => [key, worker, failureType].join()),
    );
    for (const [id, history] of histories) {
      for (const { value } of eventsOf(history, "taskFailed")) {
        const type = value.failure?.type ?? "";
        if (!OF_HANDLERS.has(type)) continue;
        const key = taskKey(id, value.nodeId, value.attempt);
        look(
          answers.has([key, value.worker, type].join())
            ? undefined
            : `${key}: ${value.worker} did not fail it with ${type}`,
        );
      }
    }
  },
};

export const tokensUnique: Check = {
  id: "tokens-unique",
  promise: 3,
  claim: "deliveries have fencing tokens of their own",
  run({ effects }, look) {
    const deliveries = Map.groupBy(effects.filter(isBegin), ({ key }) => key);
    for (const [key, begun] of deliveries) {
      const workers = new Map<string, string>();
      for (const { token, worker } of begun) {
        const other = workers.get(token);
        const isOwn = token !== "0" && (other === undefined || other === worker);
        look(isOwn ? undefined : `${key}: ${worker} and ${other ?? "nobody else"} had token ${token}`);
        workers.set(token, worker);
      }
    }
  },
};

export const staleRefused: Check = {
  id: "stale-refused",
  promise: 3,
  claim: "answers with an old token were refused",
  run({ effects, histories }, look) {
    for (const { phase, key, worker } of effects) {
      if (phase !== "stale") continue;
      const [id = "", nodeId, attempt] = key.split("/");
      const completed = eventsOf(histories.get(id) ?? [], "taskCompleted").find(
        ({ value }) => value.nodeId === nodeId && value.attempt === Number(attempt),
      );
      look(completed?.value.worker === worker ? `${key}: the late answer of ${worker} was accepted` : undefined);
    }
  },
};

function isBegin({ phase }: Effect): boolean {
  return phase === "begin";
}

function scheduledKeys(histories: RunRecord["histories"]): Set<string> {
  const keys = new Set<string>();
  for (const [id, history] of histories) {
    for (const { value } of eventsOf(history, "taskScheduled")) keys.add(taskKey(id, value.nodeId, value.attempt));
  }
  return keys;
}
