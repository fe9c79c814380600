import { randomBytes } from "node:crypto";

/** Where the test runs: any cluster, and servers that its pods reach. */
export interface ClusterConfig {
  kubeconfig: string;
  /** A role of Postgres that may create databases and roles, reached from here. */
  postgresUrl: string;
  /** `host:port` of the same Postgres as pods reach it. */
  postgresHost: string;
  /** As pods reach them. */
  kafkaBrokers: readonly string[];
  /** A command that brings an archive of images to the cluster's nodes; the archive's path is put after it. */
  loadImages: string | undefined;
  /** Where the images are when nothing has to be loaded: `<repository>/<service>:<tag>`. */
  repository: string;
  tags: readonly [now: string, next: string];
  replicationFactor: number;
  namespace: string;
  release: string;
}

const REMEDY = "see test/cluster/README.md";

/** @throws Error that names what is missing */
export function readConfig(env: NodeJS.ProcessEnv = process.env): ClusterConfig {
  const required = (name: string, what: string): string => {
    const value = env[name];
    if (value === undefined || value === "") throw new Error(`${name} is missing: ${what}; ${REMEDY}`);
    return value;
  };
  const postgresUrl = required("POSTGRES_URL", "a Postgres that pods reach, with a role that may create databases");
  const id = randomBytes(3).toString("hex");
  return {
    kubeconfig: required("KUBECONFIG", "the cluster to test on"),
    postgresUrl,
    postgresHost: env["POSTGRES_HOST_IN_CLUSTER"] || new URL(postgresUrl).host,
    kafkaBrokers: required("KAFKA_BROKERS", "host:port of brokers as pods reach them").split(","),
    loadImages: env["LOAD_IMAGES"] || undefined,
    repository: env["IMAGE_REPOSITORY"] || "localhost/heddle",
    tags: ["test-1", "test-2"],
    replicationFactor: Number(env["KAFKA_REPLICATION_FACTOR"] || 1),
    namespace: `heddle-test-${id}`,
    release: "heddle",
  };
}
