import { expect, it } from "vitest";
import { compareCompose, parseCompose, parseDockerfile } from "./compose.ts";
import { listServices, readText } from "./services.ts";

const composeText = readText("deploy/compose.yaml");
const dockerfile = readText("deploy/Dockerfile");
const services = listServices();

const compare = (compose = composeText, images = dockerfile): string[] =>
  compareCompose(parseCompose(compose), parseDockerfile(images), services);

it("starts every service with settings that it takes", () => {
  expect(compare()).toEqual([]);
});

it("takes Postgres and Kafka from their own images, with versions", () => {
  const { postgres, kafka } = parseCompose(composeText).services;
  for (const server of [postgres, kafka]) expect(server?.image).toMatch(/:\d+/);
  expect(Object.keys(kafka?.environment ?? {})).toContain("KAFKA_ADVERTISED_LISTENERS");
});

it.each([
  ["a variable is misspelt", "HEDDLE_DEFINITION_ADDRESS:", "HEDDLE_DEFINITON_ADDRESS:", "HEDDLE_DEFINITON_ADDRESS"],
  ["a required one is missing", "KAFKA_BROKERS: kafka:19092", "NODE_ENV: production", "KAFKA_BROKERS is missing"],
  ["an address leads nowhere", "http://scheduler:7236", "http://scheduler:7237", "where nothing listens"],
  ["a published port is another", "127.0.0.1:7233:7233", "127.0.0.1:7233:7234", "publishes"],
  ["a service is left out", "  statemachine:\n    build", "  other:\n    build", "compose has no service statemachine"],
  [
    "a migration is not waited for",
    "service_completed_successfully",
    "service_started",
    "does not wait for the end of",
  ],
])("would notice when %s", (_, from, to, finding) => {
  expect(composeText).toContain(from);
  expect(compare(composeText.replaceAll(from, to)).join("\n")).toContain(finding);
});

it.each([
  ["root", "USER 65532:65532\n", "", "runs as root"],
  ["no health check", "/healthz", "/", "has no health check of /healthz"],
  ["another port", "HEDDLE_PORT=7235", "HEDDLE_PORT=7239", "execution listens on 7239"],
  [
    "no topics",
    "HEDDLE_PORT=7237 HEDDLE_TOPICS_FILE=/app/topics.yaml",
    "HEDDLE_PORT=7237",
    "image of statemachine does not",
  ],
  ["no target", "AS worker", "AS other", "has no target worker"],
])("would notice in an image: %s", (_, from, to, finding) => {
  expect(dockerfile).toContain(from);
  expect(compare(composeText, dockerfile.replaceAll(from, to)).join("\n")).toContain(finding);
});
