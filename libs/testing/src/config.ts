/** A server that tests use instead of an embedded one; its user must be allowed to create databases. */
export function testDatabaseUrl(): string | undefined {
  return process.env.DATABASE_URL_TEST || undefined;
}

/** Brokers that tests use instead of one of their own, as `host:port,host:port`. Undefined when none are given. */
export function givenKafkaBrokers(): string[] | undefined {
  const brokers = (process.env.KAFKA_BROKERS ?? "").split(",").map((broker) => broker.trim());
  const given = brokers.filter((broker) => broker !== "");
  return given.length === 0 ? undefined : given;
}

const KAFKA_RUN = "HEDDLE_TEST_KAFKA_RUN";

/** The folder of this test run's brokers, which the global setup has announced to the processes that run tests. */
export function kafkaRunDirectory(): string | undefined {
  return process.env[KAFKA_RUN] || undefined;
}

/** Tells the processes that this one starts where the brokers of the run are. */
export function announceKafkaRun(dir: string): void {
  process.env[KAFKA_RUN] = dir;
}
