import { expect, it } from "vitest";
import { parseAllowList } from "./allow-list.ts";

it.each([
  ["127.0.0.1:8080", "127.0.0.1", 8080, true],
  ["127.0.0.1:8080", "127.0.0.1", 8081, false],
  ["127.0.0.1:8080", "127.0.0.2", 8080, false],
  ["127.0.0.1", "127.0.0.1", 1, true],
  ["10.0.0.0/8", "10.200.3.4", 443, true],
  ["10.0.0.0/8", "11.0.0.1", 443, false],
  ["10.0.0.0/8:443", "10.0.0.1", 80, false],
  ["[::1]:3000", "::1", 3000, true],
  ["[::1]:3000", "::1", 3001, false],
  ["[fd00::]/8:80", "fd12::1", 80, true],
  ["fd00::/8", "fd12::1", 80, true],
  ["::1", "::1", 80, true],
  ["127.0.0.1", "::ffff:127.0.0.1", 80, false],
])("%s lets %s on port %i through: %s", (entry, address, port, allowed) => {
  expect(parseAllowList([entry]).hasAddress(address, port)).toBe(allowed);
});

it("allows names, in any case, on their port", () => {
  const list = parseAllowList(["CRM.internal:443", "localhost"]);
  expect(list.hasName("crm.internal", 443)).toBe(true);
  expect(list.hasName("crm.internal", 80)).toBe(false);
  expect(list.hasName("LOCALHOST", 80)).toBe(true);
  expect(list.hasName("localhost.evil.example", 80)).toBe(false);
  expect(list.hasAddress("localhost", 80)).toBe(false);
});

it.each([
  "",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/9",
  "a b",
  "host:0",
  "host:99999",
  "host:x",
  "http://x",
  "name/8",
  "-x",
])("refuses %j", (entry) => {
  expect(() => parseAllowList([entry])).toThrow("cannot be allowed");
});
