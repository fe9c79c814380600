import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A wire between two processes that can be cut, slowed down, or cut at the worst moment. */
export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  /** Every connection breaks; new ones are taken unless `refuse` says otherwise. */
  cut(options?: { refuse?: boolean }): void;
  /** Undoes `refuse` and `delay`. */
  mend(): void;
  /** Bytes arrive this much later from now on, in both directions; their order stays. */
  delay(delayMs: number): void;
  /**
   * The next request that contains one of `texts` is passed on and done, but the first bytes of its answer are swallowed and
   * the connection breaks: whoever sent it cannot know whether it took effect. Resolves when that has happened.
   */
  swallowAnswer(texts: readonly string[], signal: AbortSignal): Promise<boolean>;
  /** How many connections it has. */
  readonly connections: number;
  close(): Promise<void>;
}

interface Trap {
  texts: readonly string[];
  sprung: () => void;
}

export async function createTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let refusing = false;
  let delayMs = 0;
  let trap: Trap | undefined;
  const pairs = new Set<{ destroy(): void }>();

  const listener = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const server = connect(target);
    const pair = {
      destroy() {
        pairs.delete(pair);
        client.destroy();
        server.destroy();
      },
    };
    pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", pair.destroy);
      socket.on("close", pair.destroy);
    }
    let isTrapped = false;
    const toServer = createPipe(server, client, () => delayMs);
    const toClient = createPipe(client, server, () => delayMs);
    client.on("data", (chunk) => {
      const sprung = trap;
      if (sprung?.texts.some((text) => chunk.includes(text)) === true) {
        trap = undefined;
        isTrapped = true;
        server.once("data", () => {
          pair.destroy();
          sprung.sprung();
        });
      }
      toServer(chunk);
    });
    server.on("data", (chunk) => {
      if (!isTrapped) toClient(chunk);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  function cutAll(): void {
    for (const pair of pairs) pair.destroy();
  }

  return {
    host: "127.0.0.1",
    port: (listener.address() as { port: number }).port,
    cut({ refuse = false } = {}) {
      refusing = refuse;
      cutAll();
    },
    mend() {
      refusing = false;
      delayMs = 0;
    },
    delay(next) {
      delayMs = next;
    },
    swallowAnswer(texts, signal) {
      return new Promise((resolve) => {
        const mine: Trap = { texts, sprung: () => resolve(true) };
        trap = mine;
        signal.addEventListener("abort", () => {
          if (trap === mine) trap = undefined;
          resolve(false);
        });
      });
    },
    get connections() {
      return pairs.size;
    },
    async close() {
      refusing = true;
      cutAll();
      listener.close();
      await once(listener, "close");
    },
  };
}

/**
 * Writes in order, each chunk no sooner than the delay says; what flows faster than `to` reads holds `from` back. One timer
 * for the head of a queue: with one for each chunk those with different delays would overtake each other.
 */
function createPipe(to: Socket, from: Socket, delay: () => number): (chunk: Buffer) => void {
  const queue: { chunk: Buffer; dueAt: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  function write(chunk: Buffer): void {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => from.resume());
  }

  function release(): void {
    timer = undefined;
    const now = performance.now();
    for (let head = queue[0]; head !== undefined && head.dueAt <= now; head = queue[0]) {
      queue.shift();
      write(head.chunk);
    }
    const next = queue[0];
    if (next !== undefined) timer = setTimeout(release, Math.ceil(next.dueAt - now));
  }

  return (chunk) => {
    const delayMs = delay();
    if (delayMs === 0 && queue.length === 0) return write(chunk);
    queue.push({ chunk, dueAt: performance.now() + delayMs });
    timer ??= setTimeout(release, delayMs);
  };
}
