import type { Database } from "@heddle/store";

/** What the handlers work with. */
export interface DefinitionContext {
  database: Database;
  /** Called after every commit that appended to the outbox. */
  wakePublisher(): void;
}
