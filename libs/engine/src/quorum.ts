import { findField, isObject } from "./json-object.ts";
import type { Json } from "./json.ts";
import type { Quorum } from "./plan-node.ts";

/** What the answers come to, once that is decided. */
export interface QuorumDecision {
  /** The value of the field on which enough agree; null when no value can have enough any more. Absent without a field. */
  decision?: Json;
}

/** Undefined while further answers can change it. */
export function decideQuorum(quorum: Quorum | undefined, answers: readonly Json[]): QuorumDecision | undefined {
  const { of = 1, need = 1, field } = quorum ?? {};
  if (field === undefined) return answers.length >= need ? {} : undefined;
  const votes = new Map<string, { value: Json; count: number }>();
  for (const answer of answers) {
    const value = voteOf(answer, field) ?? null;
    const vote = votes.get(JSON.stringify(value)) ?? { value, count: 0 };
    votes.set(JSON.stringify(value), vote);
    vote.count++;
    if (vote.count >= need) return { decision: value };
  }
  const most = Math.max(0, ...Array.from(votes.values(), ({ count }) => count));
  return most + of - answers.length < need ? { decision: null } : undefined;
}

/** The value of a field of an answer that is an object. */
export function voteOf(answer: Json, field: string): Json | undefined {
  return isObject(answer) ? findField(answer, field) : undefined;
}
