import { DomainError } from "@heddle/errors";

/** Open streams that have something in common, so that all can be ended together. */
export interface Sessions {
  /** Adds a stream; `close` is called at most once. @returns a function that takes it out again. */
  add(close: (reason: DomainError) => void): () => void;
  closeAll(reason: DomainError): void;
}

export function createSessions(): Sessions {
  const open = new Set<(reason: DomainError) => void>();
  return {
    add(close) {
      open.add(close);
      return () => open.delete(close);
    },
    closeAll(reason) {
      const closing = [...open];
      open.clear();
      for (const close of closing) close(reason);
    },
  };
}

export function shuttingDown(): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "SHUTTING_DOWN",
    message: "the scheduler is shutting down; open the stream again, another replica or the restarted one will take it",
  });
}
