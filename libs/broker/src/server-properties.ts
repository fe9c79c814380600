/** Where one broker listens and keeps its data. */
export interface ServerPlace {
  port: number;
  controllerPort: number;
  /** Absolute. */
  dataDir: string;
  /** A further one for clients, beside that in cleartext. Its certificates and users are further settings. */
  secondListener?: SecondListener | undefined;
}

export interface SecondListener {
  protocol: "SSL" | "SASL_SSL" | "SASL_PLAINTEXT";
  port: number;
}

/**
 * Settings of one broker on loopback that is its own controller: little memory, quick start, quick return after a crash.
 * Acknowledged messages survive a kill -9 of the broker, not a power cut.
 */
export function serverSettings({
  port,
  controllerPort,
  dataDir,
  secondListener: second,
}: ServerPlace): Record<string, string | number> {
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    ...(second && withSecondListener({ port, controllerPort }, second)),
    "controller.listener.names": "CONTROLLER",
    // Given here and not in the formatted directory, which can so be copied to whatever port.
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    "log.dirs": dataDir,
    // A topic that nobody declared is a mistake to be seen.
    "auto.create.topics.enable": "false",
    "num.partitions": 1,
    // There is one broker, and each partition of an internal topic costs start time.
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    // The first member of a group need not wait for others.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "num.network.threads": 1,
    "num.io.threads": 2,
    "background.threads": 2,
    "num.recovery.threads.per.data.dir": 1,
    // The default of 128 MB is the largest single thing in the heap.
    "log.cleaner.dedupe.buffer.size": 2 * 1024 * 1024,
    // Every 500 ms by default: a third of the CPU of a broker that has nothing to do.
    "metadata.max.idle.interval.ms": 5000,
    // A killed broker may come back only when its old session is over: with the default of 9 s, 16 s later.
    "broker.heartbeat.interval.ms": 1000,
    "broker.session.timeout.ms": 3000,
  };
}

function withSecondListener({ port, controllerPort }: Omit<ServerPlace, "dataDir">, second: SecondListener) {
  const both = `PLAINTEXT://127.0.0.1:${port},${second.protocol}://127.0.0.1:${second.port}`;
  return {
    listeners: `${both},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": both,
    "listener.security.protocol.map": `CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,${second.protocol}:${second.protocol}`,
  };
}

/** The text of server.properties. */
export function formatProperties(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value).replaceAll("\\", "\\\\")}\n`)
    .join("");
}

/** The ports in a server.properties that `serverSettings` made. Undefined when it is none. */
export function parsePorts(text: string): Pick<ServerPlace, "port" | "controllerPort"> | undefined {
  const [, port, controllerPort] =
    /^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+),(?:\S+,)?CONTROLLER:\/\/127\.0\.0\.1:(\d+)$/m.exec(text) ?? [];
  if (port === undefined || controllerPort === undefined) return undefined;
  return { port: Number(port), controllerPort: Number(controllerPort) };
}
