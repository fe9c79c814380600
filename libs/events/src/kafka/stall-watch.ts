import type { Consumer } from "kafkajs";

export interface StallWatchOptions {
  /** A consumer fetches several times a second. One that has done nothing for so long, with a broker there, is stuck. */
  silenceMaxMs: number;
  /** Resolves when the broker answers; waits through an outage. */
  isBrokerThere(): Promise<void>;
  onStall(error: Error): void;
}

/** Looks for a consumer that neither works nor says that it does not. Gives the way to end the watch. */
export function watchForStall(consumer: Consumer, options: StallWatchOptions): () => void {
  const { silenceMaxMs, isBrokerThere, onStall } = options;
  let lastSignAt = Date.now();
  let ended = false;
  let asking = false;
  const sign = (): void => {
    lastSignAt = Date.now();
  };
  const { FETCH_START, FETCH, HEARTBEAT, GROUP_JOIN } = consumer.events;
  const unsubscribe = [FETCH_START, FETCH, HEARTBEAT, GROUP_JOIN].map((event) => consumer.on(event, sign));

  async function ask(): Promise<void> {
    await isBrokerThere();
    // It had no chance while the broker was away: now it has.
    const askedAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, silenceMaxMs / 2).unref());
    if (!ended && lastSignAt < askedAt)
      onStall(new Error(`the consumer did nothing for ${Date.now() - lastSignAt} ms, although the broker answers`));
  }

  const timer = setInterval(() => {
    if (asking || Date.now() - lastSignAt < silenceMaxMs) return;
    asking = true;
    void ask()
      .catch(ignore)
      .finally(() => {
        asking = false;
      });
  }, silenceMaxMs / 6);
  timer.unref();

  return () => {
    ended = true;
    clearInterval(timer);
    for (const end of unsubscribe) end();
  };
}

function ignore(): void {}
