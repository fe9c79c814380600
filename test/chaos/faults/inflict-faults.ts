import { setTimeout as sleep } from "node:timers/promises";
import { DEFINITION_EVENTS } from "../record/poison.ts";
import { EXECUTION_EVENTS, poisonTopic, repeatRecords } from "../record/topic.ts";
import type { Suite } from "../suite/start-suite.ts";
import type { Fault } from "./fault.ts";

/** What became of a fault. */
export interface FaultOutcome {
  fault: Fault;
  /** When it began, after the load, milliseconds. */
  beganMs: number;
  endedMs: number;
  /** What there is to say beyond the fault itself. */
  note: string;
}

/** Statements whose answers are worth losing: appends of the journal, and ends of transactions. */
const COMMITS = ["journal_append", "commit", "COMMIT"];

/**
 * Does what the schedule says, when it says so, and takes everything back. Faults of one target wait for each other;
 * otherwise they overlap as they come. Resolves when the last one is over.
 */
export async function inflictFaults(
  suite: Suite,
  schedule: readonly Fault[],
  onOutcome: (outcome: FaultOutcome) => void = () => undefined,
): Promise<FaultOutcome[]> {
  const begun = performance.now();
  const elapsed = (): number => Math.round(performance.now() - begun);
  const queues = new Map<string, Promise<unknown>>();
  return await Promise.all(
    schedule.map(async (fault, index) => {
      await sleep(Math.max(0, fault.atMs - elapsed()));
      const subject = subjectOf(fault);
      const turn = (queues.get(subject) ?? Promise.resolve()).then(async (): Promise<FaultOutcome> => {
        const beganMs = elapsed();
        const note = await inflict(suite, fault, index).catch((error: unknown) => `failed: ${String(error)}`);
        return { fault, beganMs, endedMs: elapsed(), note: note ?? "" };
      });
      queues.set(subject, turn);
      const outcome = await turn;
      onOutcome(outcome);
      return outcome;
    }),
  );
}

function subjectOf({ kind, target, atMs }: Fault): string {
  if (kind === "crash-postgres" || kind === "terminate-backends") return "postgres";
  if (kind.endsWith("-kafka") || kind.endsWith("-events")) return "kafka";
  // Zombies do not get into each other's way.
  return kind === "zombie-worker" ? `zombie at ${atMs}` : target;
}

async function inflict(suite: Suite, fault: Fault, index: number): Promise<string | undefined> {
  const { kind, target, durationMs, amount } = fault;
  const { postgres, kafka } = suite;
  switch (kind) {
    case "kill-service":
    case "kill-worker": {
      const victim = suite.find(target);
      await victim.kill();
      await sleep(durationMs);
      victim.start();
      return undefined;
    }
    case "pause-service":
    case "pause-worker": {
      const victim = suite.find(target);
      victim.pause();
      await sleep(durationMs);
      victim.resume();
      return undefined;
    }
    case "zombie-worker": {
      const zombie = suite.startZombie(`zombie-${index}`);
      await sleep(durationMs);
      await zombie.kill();
      return undefined;
    }
    case "terminate-backends":
      return `${await postgres.terminateBackends(amount)} ended`;
    case "crash-postgres":
      await postgres.stopImmediately();
      await sleep(durationMs);
      await postgres.start();
      return undefined;
    case "stop-kafka":
    case "kill-kafka":
      await (kind === "stop-kafka" ? kafka.stop() : kafka.kill());
      await sleep(durationMs);
      await kafka.start();
      return undefined;
    case "pause-kafka":
      kafka.pause();
      await sleep(durationMs);
      kafka.resume();
      return undefined;
    case "repeat-events": {
      const definitions = await repeatRecords([kafka.address], DEFINITION_EVENTS, amount);
      const executions = await repeatRecords([kafka.address], EXECUTION_EVENTS, amount);
      return `${definitions + executions} repeated`;
    }
    case "poison-events":
      await poisonTopic([kafka.address], DEFINITION_EVENTS, amount);
      await poisonTopic([kafka.address], EXECUTION_EVENTS, amount);
      return undefined;
    case "cut-database":
    case "cut-service": {
      const proxy = wireOf(suite, target);
      const connections = await proxy.cut({ refuse: durationMs > 0 });
      await sleep(durationMs);
      await proxy.mend();
      return `${connections} connections`;
    }
    case "delay-database":
    case "delay-service": {
      const proxy = wireOf(suite, target);
      await proxy.delay(amount);
      await sleep(durationMs);
      await proxy.mend();
      return undefined;
    }
    case "swallow-commit":
    case "swallow-answer": {
      // Any answer of a service will do: each of its frames is one that somebody waits for.
      const isSprung = await wireOf(suite, target).swallowAnswer(
        kind === "swallow-commit" ? COMMITS : [""],
        durationMs,
      );
      return isSprung ? "swallowed" : "nothing was asked meanwhile";
    }
  }
}

function wireOf(suite: Suite, name: string): Suite["wires"][number]["proxy"] {
  const found = suite.wires.find((wire) => wire.name === name);
  if (found === undefined) throw new Error(`no wire is named ${name}`);
  return found.proxy;
}
