import { expect, test } from "vitest";
import { describeMissing } from "./remedy.ts";

const java = { path: "/opt/java/bin/java", major: 17, build: "17" };

test("nothing is missing where Java is new enough and Maven is there", () => {
  expect(describeMissing(java, true)).toBeUndefined();
});

test("the sentence says what is missing, what is there instead, and how to get it", () => {
  const sentence = describeMissing({ ...java, major: 11 }, false);
  expect(sentence).toContain("Java 17 or newer (/opt/java/bin/java is Java 11) and Maven (mvn)");
  expect(sentence).toMatch(/install with `(apt-get|brew) install/);
});

test("only what is missing is asked for", () => {
  expect(describeMissing(undefined, true)).toMatch(/^Kafka needs Java 17 or newer: /);
  expect(describeMissing(java, false)).toMatch(/^Kafka needs Maven \(mvn\): /);
});
