import { connect, createServer, type Socket } from "node:net";

/** A wire between clients and Postgres that can be cut at the worst moment. */
export interface Proxy {
  /** The server's URL with the proxy's address. */
  url: string;
  /** Every connection breaks and none is accepted any more. */
  cut(): void;
  /** Takes connections again. */
  mend(): void;
  /** Connections that begin to listen from now on are never told anything. */
  deafen(): void;
  /** The next answer to a statement of that name is swallowed, and its connection breaks: the statement did run. */
  swallowAnswerTo(statement: string, then?: () => void): void;
  /**
   * The next such statement is held back and its client's connection breaks; the returned function delivers it to the
   * server after all, as a network might that was only slow, and resolves when the server has answered.
   */
  holdBack(statement: string): () => Promise<void>;
  /** The next such statement is lost with its connection: it never ran. */
  loseStatement(statement: string): void;
  close(): Promise<void>;
}

type Trap = { statement: string; spring(client: Socket, server: Socket, chunk: Buffer): void };

export async function createProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  let trap: Trap | undefined;
  let isDeaf = false;

  const listener = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
    client.on("data", (chunk) => {
      if (trap !== undefined && chunk.includes(trap.statement)) {
        const { spring } = trap;
        trap = undefined;
        spring(client, server, chunk);
      } else server.write(isDeaf ? elsewhere(chunk) : chunk);
    });
    server.on("data", (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as { port: number }).port);

  const cut = (): void => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };

  return {
    url: url.href,
    cut,
    mend() {
      isCut = false;
    },
    deafen() {
      isDeaf = true;
    },
    swallowAnswerTo(statement, then) {
      trap = {
        statement,
        spring(client, server, chunk) {
          server.removeAllListeners("data");
          server.once("data", () => {
            client.destroy();
            then?.();
          });
          server.write(chunk);
        },
      };
    },
    loseStatement(statement) {
      trap = { statement, spring: (client) => client.destroy() };
    },
    holdBack(statement) {
      let deliver: (() => Promise<void>) | undefined;
      trap = {
        statement,
        spring(client, server, chunk) {
          client.removeAllListeners("close");
          client.on("close", () => sockets.delete(client));
          server.removeAllListeners("data");
          deliver = () =>
            new Promise((resolve) => {
              server.once("data", () => {
                server.destroy();
                resolve();
              });
              server.write(chunk);
            });
          client.destroy();
        },
      };
      return () => (deliver ? deliver() : Promise.reject(new Error(`${statement} was not sent`)));
    },
    async close() {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** The same bytes, listening to a channel that nobody uses: of the same length, or the protocol would notice. */
function elsewhere(chunk: Buffer): Buffer {
  const text = chunk.toString("latin1");
  return Buffer.from(
    text.replace(/listen heddle_\w+/, (found) => found.replace(/.$/, "_")),
    "latin1",
  );
}
