import type { Socket } from "node:net";
import type { ISocketFactory, Kafka as KafkaJs, RetryOptions, SASLOptions } from "kafkajs";
import type { KafkaBusLimits } from "../limits.ts";
import type { BusLogger } from "../bus-log.ts";
import { CLIENT_CLOSED, createKafkaLogCreator } from "./kafka-log.ts";
import { connectToBroker, type KafkaSecurity, readTlsFiles } from "./kafka-security.ts";
import { kafkajs } from "./kafkajs.ts";

export interface KafkaClientOptions {
  /** `host:port` of brokers to begin with; the others are learnt from them. */
  brokers: readonly string[];
  clientId: string;
  security?: KafkaSecurity | undefined;
  logger: BusLogger;
  limits: KafkaBusLimits;
  /**
   * How often kafkajs may repeat by itself: "persistently" until the client is destroyed, so that an outage does not
   * cost a consumer its membership; "briefly" for whoever repeats on its own terms.
   */
  retries: "persistently" | "briefly";
}

/** A kafkajs client that can be ended for certain. */
export interface KafkaClient {
  readonly kafka: KafkaJs;
  /** For each producer, consumer and admin: they do not inherit it. */
  readonly retry: RetryOptions;
  /**
   * Cuts every connection and ends every repetition under way. By itself kafkajs goes on with them after `disconnect()`
   * when the broker is away: its promises never settle and its timers keep the process alive.
   */
  destroy(): void;
}

const BRIEF_RETRIES = 2;
const KEEP_ALIVE_MS = 60_000;

/** Makes no connection yet. One client carries one producer, consumer or admin, so that each can be destroyed alone. */
export function createKafkaClient(options: KafkaClientOptions): KafkaClient {
  const { limits, security = {} } = options;
  // Files that are not there are told now, and not with every attempt to connect.
  if (security.tls !== undefined) readTlsFiles(security.tls);
  const sockets = new Set<Socket>();
  let destroyed = false;

  const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
    if (destroyed) throw destroyedError();
    const socket = connectToBroker(security, { host, port, onConnect });
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    // kafkajs calls `unref` again and again on one that could not connect, and each call leaves a listener.
    socket.setMaxListeners(0);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };

  // kafkajs compares its count with this before each repetition, so that an object is asked each time.
  const whileAlive = { valueOf: () => (destroyed ? 0 : Number.MAX_SAFE_INTEGER) };
  // Explicit, as its defaults are others under NODE_ENV=test, and too few for an outage.
  const retry: RetryOptions = {
    initialRetryTime: limits.retryMinMs,
    maxRetryTime: limits.retryMaxMs,
    retries: options.retries === "briefly" ? BRIEF_RETRIES : (whileAlive as unknown as number),
  };
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: limits.connectionTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: createKafkaLogCreator(options.logger),
    socketFactory,
    // A copy: kafkajs keeps in it what it makes of the password.
    sasl: security.sasl && ({ ...security.sasl } as SASLOptions),
    retry,
  });
  return {
    kafka,
    retry,
    destroy() {
      destroyed = true;
      for (const socket of sockets) socket.destroy(destroyedError());
    },
  };
}

function destroyedError(): Error {
  return new Error(CLIENT_CLOSED);
}
