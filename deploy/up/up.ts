import { findKafkaRemedy, startKafkaBroker } from "@heddle/broker";
import { DomainError } from "@heddle/errors";
import { startEmbeddedPostgres } from "@heddle/store";
import { down } from "./down.ts";
import { pathsOf, type UpConfig } from "./paths.ts";
import { planCluster } from "./plan-cluster.ts";
import { findProcess, isRunning } from "./process-identity.ts";
import { createServiceProcess, type ServiceProcess } from "./service-process.ts";
import { claimState, readState, removeState, type UpState, writeState } from "./state-file.ts";

export interface UpResult {
  /** Whether everything ran already. */
  alreadyUp: boolean;
  processes: { name: string; url: string; pid: number }[];
  /** Where everything can be reached. */
  url: string;
  /** `127.0.0.1:9092`, or as they were given. */
  kafkaBrokers: readonly string[] | undefined;
}

export interface UpOptions {
  /** Told what takes seconds, before it is done. */
  say: (line: string) => void;
  /** Ends everything again. */
  signal?: AbortSignal;
}

/**
 * Starts Postgres, Kafka and all services as processes that outlive this one, and waits until all are ready. What a run
 * before has left half alive is ended first. When something does not start, everything is ended again.
 * @throws DomainError `CONFIG_INVALID` when another one is at work, or Java is missing
 */
export async function up(config: UpConfig, { say, signal }: UpOptions): Promise<UpResult> {
  const paths = pathsOf(config);
  const found = await claim(config, say);
  if (found !== undefined) return found;
  try {
    const remedy = config.KAFKA_BROKERS === undefined ? findKafkaRemedy() : undefined;
    if (remedy !== undefined) throw refused(`${remedy}; or set KAFKA_BROKERS to a broker that runs already`);
    const state: UpState = { starter: findProcess(process.pid), processes: [], postgres: undefined, kafka: undefined };
    const note = (more: Partial<UpState>): void => writeState(paths.state, Object.assign(state, more));

    say("starting Postgres and Kafka");
    // Noted before they are started: `make down` finds out by itself whether they run.
    note({
      ...(config.DATABASE_URL === undefined && { postgres: { dataDir: paths.postgres } }),
      ...(config.KAFKA_BROKERS === undefined && { kafka: { dir: paths.kafka } }),
    });
    const databaseUrl = config.DATABASE_URL ?? (await startEmbeddedPostgres({ dataDir: paths.postgres })).url;
    const kafkaBrokers = config.KAFKA_BROKERS ?? [
      (await startKafkaBroker({ dir: paths.kafka, onProgress: say })).address,
    ];
    signal?.throwIfAborted();
    const specs = await planCluster({
      ports: config.HEDDLE_UP_PORTS,
      databaseUrl,
      kafkaBrokers,
      logDir: paths.logs,
      replicas: {
        execution: config.HEDDLE_REPLICAS,
        scheduler: config.HEDDLE_REPLICAS,
        statemachine: config.HEDDLE_REPLICAS,
      },
      detached: true,
    });
    say(`starting ${specs.map(({ name }) => name).join(", ")}`);
    const processes = specs.map((spec) => createServiceProcess(spec));
    for (const started of processes) {
      started.spawn();
      note({ processes: [...state.processes, recordOf(started)] });
    }
    await Promise.all(processes.map((started) => started.waitUntilReady({ signal })));
    note({ starter: undefined });
    return { alreadyUp: false, ...describe(processes), kafkaBrokers };
  } catch (error) {
    await down(config, () => {}, { andServers: true });
    throw error;
  }
}

/** Undefined when this process may start; what runs already when all of it does. */
async function claim(config: UpConfig, say: (line: string) => void): Promise<UpResult | undefined> {
  const paths = pathsOf(config);
  const mine: UpState = {
    starter: findProcess(process.pid),
    processes: [],
    postgres: undefined,
    kafka: undefined,
  };
  while (!claimState(paths.state, mine)) {
    const state = readState(paths.state);
    if (state === undefined) {
      removeState(paths.state);
      continue;
    }
    if (state.starter !== undefined && isRunning(state.starter)) {
      throw refused(`another \`make up\` (pid ${state.starter.pid}) is starting things in ${paths.root}; wait for it`);
    }
    const dead = state.processes.filter(({ identity }) => !isRunning(identity));
    if (state.starter === undefined && dead.length === 0) {
      const processes = state.processes.map(({ spec, identity }) =>
        createServiceProcess({ ...spec, env: {} }, identity),
      );
      return { alreadyUp: true, ...describe(processes), kafkaBrokers: undefined };
    }
    const names = dead.map(({ spec }) => spec.name).join(", ");
    say(`ending what is left of a run before${names === "" ? "" : ` (${names} had ended)`}`);
    await down(config, () => {}, { andServers: false });
  }
  return undefined;
}

function recordOf({ spec, identity, name }: ServiceProcess): UpState["processes"][number] {
  if (identity === undefined) throw new Error(`${name} ended at once; see ${spec.logFile}`);
  const { service, port, logFile } = spec;
  return { spec: { service, name, port, logFile }, identity };
}

function describe(processes: readonly ServiceProcess[]): Pick<UpResult, "processes" | "url"> {
  return {
    processes: processes.map(({ name, url, pid }) => ({ name, url, pid })),
    url: processes.find(({ spec }) => spec.service === "gateway")?.url ?? "",
  };
}

function refused(message: string): DomainError {
  return new DomainError({ kind: "failed_precondition", reason: "CONFIG_INVALID", message });
}
