import { DomainError } from "@heddle/errors";

/** The open streams of the service, so that all can be ended when it stops. */
export interface Sessions {
  /** Adds a stream; `close` is called at most once. @returns a function that takes it out again. */
  add(close: (reason: DomainError) => void): () => void;
  closeAll(): void;
}

export function createSessions(): Sessions {
  const open = new Set<(reason: DomainError) => void>();
  return {
    add(close) {
      open.add(close);
      return () => open.delete(close);
    },
    closeAll() {
      for (const close of open) close(shuttingDown());
      open.clear();
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
