import { expect, test } from "vitest";
import { formatProperties, parsePorts, serverSettings } from "./server-properties.ts";

test("the ports are read back from what is written", () => {
  const text = formatProperties(serverSettings({ port: 19092, controllerPort: 19093, dataDir: "/tmp/data" }));
  expect(parsePorts(text)).toEqual({ port: 19092, controllerPort: 19093 });
  expect(parsePorts("listeners=PLAINTEXT://0.0.0.0:9092\n")).toBeUndefined();
});

test("a backslash in a path stays one for Java, which takes it for an escape", () => {
  expect(formatProperties({ "log.dirs": "C:\\data" })).toBe("log.dirs=C:\\\\data\n");
});
