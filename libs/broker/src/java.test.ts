import { expect, test } from "vitest";
import { parseJavaVersion } from "./java.ts";

const debian = `openjdk version "17.0.15" 2025-04-15
OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)
OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)
`;

test("the major version and the build are read, whatever stands before them", () => {
  const expected = { path: "java", major: 17, build: "17.0.15+6-Debian-1deb12u1/17.0.15+6-Debian-1deb12u1" };
  expect(parseJavaVersion("java", debian)).toEqual(expected);
  expect(parseJavaVersion("java", `Picked up JAVA_TOOL_OPTIONS: -Xmx1g\n${debian}`)).toEqual(expected);
});

test.each([
  ['java version "1.8.0_401"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ['openjdk version "25-ea" 2025-09-16', 25],
])("%s is Java %i", (line, major) => {
  expect(parseJavaVersion("java", line)?.major).toBe(major);
});

test("what is no Java is none", () => {
  expect(parseJavaVersion("java", "java: command not found")).toBeUndefined();
});
