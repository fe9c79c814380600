import { asServing, STATEFUL } from "../databases.ts";
import { type Check, expectThat, seconds, type Session } from "../session.ts";
import { TLS_VALUES } from "../tls.ts";

export function installArguments({ config, tls, topicPrefix }: Session, tag: string): string[] {
  return [
    "helm/heddle",
    "--values=test/cluster/values.yaml",
    "--set=database.existingSecret=heddle-database",
    `--set=kafka.brokers={${config.kafkaBrokers.join(",")}}`,
    `--set=kafka.topics.prefix=${topicPrefix}`,
    `--set=kafka.topics.replicationFactor=${config.replicationFactor}`,
    `--set=kafka.topics.minInsyncReplicas=${Math.max(1, config.replicationFactor - 1)}`,
    `--set=image.repository=${config.repository}`,
    `--set=image.tag=${tag}`,
    ...(tls === undefined ? [] : TLS_VALUES),
    "--wait",
    "--timeout=6m",
  ];
}

export const refusesBadValue: Check = {
  name: "a bad value is refused",
  async run(session) {
    const { kube, config } = session;
    const more = installArguments(session, config.tags[0]);
    const { code, stderr } = await kube.tryHelm([
      "install",
      config.release,
      ...more,
      "--set=services.execution.replica=2",
    ]);
    expectThat(code !== 0 && stderr.includes("additional properties 'replica' not allowed"), `helm said: ${stderr}`);
    return "services.execution.replica: not allowed";
  },
};

export const install: Check = {
  name: "install --wait under PodSecurity restricted",
  async run(session) {
    const began = performance.now();
    await session.kube.helm(["install", session.config.release, ...installArguments(session, session.config.tags[0])]);
    return seconds(began);
  },
};

export const helmTest: Check = {
  name: "helm test",
  async run({ kube, config }) {
    const began = performance.now();
    const output = await kube.helm(["test", config.release, "--timeout=2m"]);
    expectThat(/Phase:\s+Succeeded/.test(output), output);
    return seconds(began);
  },
};

export const servingRole: Check = {
  name: "the role that serves cannot change tables",
  async run({ config, database }) {
    const tables = {
      definition: "definitions",
      execution: "executions",
      scheduler: "schedules",
      statemachine: "machines",
    };
    for (const service of STATEFUL) {
      await asServing(config, database, service, `select from ${tables[service]}`);
      const refused = await asServing(config, database, service, `alter table ${tables[service]} add odd text`).then(
        () => "nothing",
        (error: Error) => error.message,
      );
      expectThat(refused.includes("must be owner"), `${service}: altering its table was answered by ${refused}`);
    }
    return "definition, execution, scheduler, statemachine";
  },
};
