import { Worker } from "node:worker_threads";

/** A proxy in another thread. Everything resolves when it is done. */
export interface RemoteProxy {
  readonly port: number;
  /** Every connection breaks; new ones are refused until `mend` when it is said so. Resolves with how many there were. */
  cut(options: { refuse: boolean }): Promise<number>;
  /** Undoes `cut` and `delay`. */
  mend(): Promise<void>;
  /** Bytes arrive this much later, in both directions. */
  delay(delayMs: number): Promise<void>;
  /** As `TcpProxy.swallowAnswer`; false when nothing was asked within the patience. */
  swallowAnswer(texts: readonly string[], patienceMs: number): Promise<boolean>;
}

/**
 * Proxies in a thread of their own. The process that drives and records a run pauses now and then, when it reads a topic or
 * collects garbage; on its thread every wire of the suite would stand still with it, which is no fault of the schedule.
 */
export interface ProxyThread {
  open(port: number): Promise<RemoteProxy>;
  /** Ends the thread, and with it every connection. */
  close(): Promise<void>;
}

type Asked =
  | { name: "open"; port: number }
  | { name: "cut"; index: number; refuse: boolean }
  | { name: "mend"; index: number }
  | { name: "delay"; index: number; delayMs: number }
  | { name: "swallowAnswer"; index: number; texts: readonly string[]; patienceMs: number };

/** What the thread is told. */
export type ProxyCall = Asked & { id: number };

/** What it answers, once each. */
export interface ProxyAnswer {
  id: number;
  value: { index: number; port: number } | number | boolean | void;
}

export function createProxyThread(): ProxyThread {
  const worker = new Worker(new URL("./proxy-worker.ts", import.meta.url), { execArgv: [] });
  const waiting = new Map<number, { resolve(value: never): void; reject(error: unknown): void }>();
  let calls = 0;
  const abandon = (error: unknown): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on("message", ({ id, value }: ProxyAnswer) => {
    waiting.get(id)?.resolve(value as never);
    waiting.delete(id);
  });
  worker.on("error", abandon);
  worker.on("exit", () => abandon(new Error("the thread of the proxies has ended")));

  function ask<T>(asked: Asked): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      calls += 1;
      waiting.set(calls, { resolve, reject });
      worker.postMessage({ ...asked, id: calls } satisfies ProxyCall);
    });
  }

  return {
    async open(target) {
      const { index, port } = await ask<{ index: number; port: number }>({ name: "open", port: target });
      return {
        port,
        cut: ({ refuse }) => ask({ name: "cut", index, refuse }),
        mend: () => ask({ name: "mend", index }),
        delay: (delayMs) => ask({ name: "delay", index, delayMs }),
        swallowAnswer: (texts, patienceMs) => ask({ name: "swallowAnswer", index, texts, patienceMs }),
      };
    },
    async close() {
      await worker.terminate();
    },
  };
}
