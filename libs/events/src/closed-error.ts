import { DomainError } from "@heddle/errors";

/** What `publish` and `subscribe` of a closed bus say. */
export function closedError(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "SHUTTING_DOWN",
    message: "the event bus is closed; publish the batch again after the restart",
  });
}
