import { type DomainError, isFinal, isPassing } from "@heddle/errors";

export interface TellAllOptions<T> {
  /** Calls at once. */
  atOnce: number;
  /** Resolves when the receiver knows, or need not know any more; can be done again. */
  tell(receiver: T): Promise<void>;
  /** The receiver will never take it, however often it is told. */
  onRefused(receiver: T, error: DomainError): void;
}

/**
 * Tells all receivers, whatever some of them answer: one that cannot take it keeps it from none behind it. Only when a whole group at once meets
 * an outage, those behind it are left for the next time too: they would all wait for the same.
 * @throws the first failure that passes, or else the first that is no refusal at all: then some were not told, so tell all again
 */
export async function tellAll<T>(
  pages: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
  { atOnce, tell, onRefused }: TellAllOptions<T>,
): Promise<void> {
  let passing: DomainError | undefined;
  let defect: { error: unknown } | undefined;
  for await (const receivers of pages) {
    for (let at = 0; at < receivers.length; at += atOnce) {
      const group = receivers.slice(at, at + atOnce);
      const outcomes = await Promise.allSettled(group.map(tell));
      let away = 0;
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") continue;
        const error: unknown = outcome.reason;
        if (isFinal(error)) onRefused(group[index] as T, error);
        else if (isPassing(error)) {
          passing ??= error;
          away += 1;
        } else defect ??= { error };
      }
      if (passing !== undefined && away === atOnce) throw passing;
    }
  }
  if (passing !== undefined) throw passing;
  if (defect !== undefined) throw defect.error;
}
