import { createRequire } from "node:module";

interface RequestQueue {
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  throttledUntil: number;
  pending: unknown[];
  checkPendingRequests(): void;
}

/**
 * Replaces a method of kafkajs 2.2.4 that keeps a timer of 1 ms going per connection, also when there is nothing to
 * wait for, and gives it negative delays, which Node 24 warns of. An idle consumer and producer took 5.8 % of a core
 * with it, and take 1.3 % without. Under load there is no difference.
 */
export function calmRequestTimers(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require("kafkajs/src/network/requestQueue") as { prototype: object };
  Object.assign(prototype, {
    scheduleCheckPendingRequests(this: RequestQueue): void {
      if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
      const delayMs = Math.max(this.throttledUntil - Date.now(), PENDING_CHECK_MS);
      this.throttleCheckTimeoutId = setTimeout(() => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      }, delayMs);
    },
  });
}

const PENDING_CHECK_MS = 10;
