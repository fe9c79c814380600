import { DomainError, type ErrorKind } from "@heddle/errors";
import {
  WorkerService,
  type ConnectRequest,
  type ConnectResponse,
  type WorkerHello,
  type WorkerWelcome,
} from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { BidiStream, RpcTransport } from "@heddle/rpc";
import type { WorkerLimits } from "../limits.ts";
import { backoffMs } from "../backoff.ts";
import type { Logger } from "@heddle/telemetry";

/** A frame to the server, as the contract's oneof has it. */
export type Frame = ConnectRequest["frame"];

export interface ConnectionOptions {
  transport: RpcTransport;
  limits: WorkerLimits;
  logger: Logger;
  /** Where the worker connects to, for people. */
  address: string;
  /** What to say first on each stream: the tasks that are held change. */
  hello: () => WorkerHello;
  onWelcome: (welcome: WorkerWelcome) => void;
  onFrame: (frame: ConnectResponse["frame"]) => void;
  onDrain: () => void;
  onDown: () => void;
  /** The server will never take this worker as it is; nothing more is tried. Only before the first welcome. */
  onRefused: (error: DomainError) => void;
}

/** One stream at a time, opened again for ever. */
export interface Connection {
  open(): void;
  /** Sends a frame when `connected`; false asks to hold back until `onDrain`. */
  send(frame: Frame): boolean;
  /** Ends the stream and opens no other. Resolves when it is over. */
  close(): Promise<void>;
  /** True from welcome to the end of the stream. */
  readonly connected: boolean;
  /** Times that a stream broke after its welcome. */
  readonly outages: number;
}

/** Time that the server has to end its side of the stream when the worker has ended its own. */
const CLOSE_GRACE_MS = 1_000;

/** Answers that no repetition changes: the worker is configured wrongly, or this is no scheduler. */
const FINAL: ReadonlySet<ErrorKind> = new Set([
  "invalid_argument",
  "unauthenticated",
  "permission_denied",
  "unimplemented",
]);

export function createConnection(options: ConnectionOptions): Connection {
  const { transport, limits, logger, address } = options;
  let stream: BidiStream<ConnectRequest> | undefined;
  let connected = false;
  let everConnected = false;
  let closed = false;
  let outages = 0;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let onEnded = () => {};

  function connect(): void {
    let over = false;
    const opened = transport.openStream(WorkerService.method.connect, {
      onMessage({ frame }) {
        if (over || closed) return;
        if (frame.case === "welcome") welcome(frame.value);
        else if (connected) options.onFrame(frame);
      },
      onDrain() {
        if (!over && connected) options.onDrain();
      },
      onEnd(error) {
        if (over) return;
        over = true;
        down(error);
      },
    });
    stream = opened;
    opened.send(request({ case: "hello", value: options.hello() }));
    timer = setTimeout(() => {
      if (over) return;
      over = true;
      opened.cancel();
      down(new Error(`no answer to hello within ${limits.welcomeTimeoutMs} ms`));
    }, limits.welcomeTimeoutMs);
  }

  function welcome(value: WorkerWelcome): void {
    clearTimeout(timer);
    if (failures > 0 || !everConnected) logger.info({ address, attempts: failures + 1 }, "worker is connected");
    connected = true;
    everConnected = true;
    failures = 0;
    options.onWelcome(value);
  }

  function down(error: Error | undefined): void {
    clearTimeout(timer);
    stream = undefined;
    const wasConnected = connected;
    connected = false;
    onEnded();
    if (closed) return;
    if (wasConnected) outages += 1;
    if (!everConnected && error instanceof DomainError && FINAL.has(error.kind)) {
      closed = true;
      options.onRefused(error);
      return;
    }
    // Once for each outage, and not for each attempt: a night without a server must not fill a disk.
    if (failures === 0) {
      const reason = error?.message ?? "the server ended the stream";
      logger.warn({ address, reason }, "worker is not connected; it tries again until it is");
    }
    // Two processes with one id would throw each other out for ever: slowly at least.
    const replaced = error instanceof DomainError && error.kind === "already_exists";
    failures += 1;
    options.onDown();
    const { reconnectMinMs, reconnectMaxMs } = limits;
    timer = setTimeout(connect, backoffMs(failures, replaced ? reconnectMaxMs : reconnectMinMs, reconnectMaxMs));
  }

  return {
    open: connect,
    send(frame) {
      if (stream === undefined) return false;
      try {
        return stream.send(request(frame));
      } catch (error) {
        // The stream's own queue is full: the server does not read. A new stream resends what matters.
        logger.warn({ address, err: error }, "the server does not read; the stream is given up");
        stream.cancel();
        return false;
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      connected = false;
      clearTimeout(timer);
      const last = stream;
      if (last === undefined) return;
      // Half-close first: frames that were just sent still leave. Cancel is for a server that does not end its side.
      await new Promise<void>((resolve) => {
        const cutOff = setTimeout(() => {
          last.cancel();
          resolve();
        }, CLOSE_GRACE_MS);
        onEnded = () => {
          clearTimeout(cutOff);
          resolve();
        };
        last.close();
      });
    },
    get connected() {
      return connected;
    },
    get outages() {
      return outages;
    },
  };
}

function request(frame: Frame): ConnectRequest {
  return { $typeName: "heddle.worker.v1.ConnectRequest", frame };
}
