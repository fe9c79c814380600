import { hostname } from "node:os";
import { expect, it } from "vitest";
import { replicaOf } from "./replica.ts";

it("is named after host and port, and reached where it listens", () => {
  expect(replicaOf({ HEDDLE_HOST: "127.0.0.1" }, 7235)).toEqual({
    owner: `${hostname()}-7235`,
    address: "http://127.0.0.1:7235",
  });
  expect(replicaOf({ HEDDLE_HOST: "::1" }, 7235).address).toBe("http://[::1]:7235");
});

it.each(["0.0.0.0", "::"])("is never reached at the wildcard %s, but by its host's name", (host) => {
  expect(replicaOf({ HEDDLE_HOST: host }, 7235).address).toBe(`http://${hostname()}:7235`);
});

it.each([
  ["10.0.0.5", "https", "https://10.0.0.5:7235"],
  ["fd00::5", "http", "http://[fd00::5]:7235"],
] as const)("is reached at the address %s that it is told, by %s", (host, scheme, address) => {
  expect(replicaOf({ HEDDLE_HOST: "::", HEDDLE_ADVERTISED_HOST: host }, 7235, scheme).address).toBe(address);
});

it("takes what it is told", () => {
  const values = { HEDDLE_HOST: "0.0.0.0", HEDDLE_OWNER: "a", HEDDLE_ADVERTISED_ADDRESS: "http://a.internal:1/" };
  expect(replicaOf(values, 7235)).toEqual({ owner: "a", address: "http://a.internal:1" });
});
