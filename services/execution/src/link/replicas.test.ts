import type { RpcTransport } from "@heddle/rpc";
import { expect, it } from "vitest";
import { createReplicas } from "./replicas.ts";

const SERVICE = { name: "service" } as unknown as RpcTransport;
const dial = (address: string) => ({ name: address }) as unknown as RpcTransport;

it("goes where a refusal has pointed to, and else through the service and all replicas by turns", () => {
  const replicas = createReplicas(SERVICE, dial);
  expect(replicas.choose(undefined, 7).transport).toBe(SERVICE);
  for (const address of ["http://a:1", "http://b:1", "http://a:1"]) replicas.learn(address);
  expect([1, 2, 3, 4].map((failures) => replicas.choose(undefined, failures).address)).toEqual([
    "",
    "http://a:1",
    "http://b:1",
    "",
  ]);
  expect(replicas.choose("http://b:1", 0)).toEqual({ transport: dial("http://b:1"), address: "http://b:1" });
});

it("tries those last from which nothing came, until something does", () => {
  const replicas = createReplicas(SERVICE, dial);
  for (const address of ["http://a:1", "http://b:1"]) replicas.learn(address);
  const choices = () => [1, 2, 3].map((failures) => replicas.choose(undefined, failures).address);
  replicas.suspect("http://a:1");
  expect(choices()).toEqual(["http://b:1", "", "http://a:1"]);
  replicas.trust("http://a:1");
  replicas.suspect("");
  expect(choices()).toEqual(["http://a:1", "http://b:1", ""]);
  replicas.trust("");
  expect(choices()).toEqual(["", "http://a:1", "http://b:1"]);
});

it("stays with the service where nothing can be dialed", () => {
  const replicas = createReplicas(SERVICE, undefined);
  replicas.learn("http://a:1");
  expect([replicas.choose("http://a:1", 0), replicas.choose(undefined, 1)]).toEqual(
    Array(2).fill({ transport: SERVICE, address: "" }),
  );
});

it("remembers the latest of many", () => {
  const replicas = createReplicas(SERVICE, dial);
  for (let port = 1; port <= 40; port++) replicas.learn(`http://a:${port}`);
  const addresses = Array.from({ length: 17 }, (_, index) => replicas.choose(undefined, index + 1).address);
  expect(new Set(addresses).size).toBe(17);
  expect(addresses.at(-1)).toBe("http://a:40");
});
