import type { RpcTransport } from "@heddle/rpc";
import { expect, it } from "vitest";
import { createReplicas, type Replicas } from "./replicas.ts";

const SERVICE = { name: "service" } as unknown as RpcTransport;
const dial = (address: string) => ({ name: address }) as unknown as RpcTransport;

/** The addresses that are tried one after the other when each fails. */
function tour(replicas: Replicas, length: number, last?: string): string[] {
  const addresses: string[] = [];
  for (let at = last; addresses.length < length; addresses.push(at)) ({ address: at } = replicas.choose(undefined, at));
  return addresses;
}

it("goes where a refusal has pointed to, and else through the service and all replicas by turns", () => {
  const replicas = createReplicas(SERVICE, dial);
  expect(replicas.choose(undefined, "").transport).toBe(SERVICE);
  for (const address of ["http://a:1", "http://b:1", "http://a:1"]) replicas.learn(address);
  expect(tour(replicas, 4)).toEqual(["", "http://a:1", "http://b:1", ""]);
  expect(replicas.choose("http://b:1", "")).toEqual({ transport: dial("http://b:1"), address: "http://b:1" });
});

it("leaves out those where nobody was, also when they are named, as long as there are others", () => {
  let now = 0;
  const replicas = createReplicas(SERVICE, dial, () => now);
  for (const address of ["http://a:1", "http://b:1"]) replicas.learn(address);
  replicas.suspect("http://a:1");
  expect(tour(replicas, 3, "http://a:1")).toEqual(["", "http://b:1", ""]);
  replicas.suspect("");
  expect(tour(replicas, 2, "")).toEqual(["http://b:1", "http://b:1"]);
  expect(replicas.choose("http://a:1", "http://b:1").address).toBe("http://b:1");
  replicas.suspect("http://b:1");
  expect(tour(replicas, 4, "")).toEqual(["http://a:1", "http://b:1", "", "http://a:1"]);
  replicas.trust("http://a:1");
  expect(tour(replicas, 2)).toEqual(["http://a:1", "http://a:1"]);
  now += 2_000;
  expect(tour(replicas, 3)).toEqual(["", "http://a:1", "http://b:1"]);
});

it("follows a refusal to one where nobody was, after some time: it may be back, and nobody else has the shard", () => {
  let now = 0;
  const replicas = createReplicas(SERVICE, dial, () => now);
  replicas.learn("http://a:1");
  replicas.suspect("http://a:1");
  expect(replicas.choose("http://a:1", "").address).toBe("");
  now += 2_000;
  expect(replicas.choose("http://a:1", "").address).toBe("http://a:1");
});

it("stays with the service where nothing can be dialed", () => {
  const replicas = createReplicas(SERVICE, undefined);
  replicas.learn("http://a:1");
  expect(replicas.choose("http://a:1", undefined)).toEqual({ transport: SERVICE, address: "" });
  expect(tour(replicas, 2)).toEqual(["", ""]);
});

it("remembers the latest of many", () => {
  const replicas = createReplicas(SERVICE, dial);
  for (let port = 1; port <= 40; port++) replicas.learn(`http://a:${port}`);
  const addresses = tour(replicas, 17);
  expect(new Set(addresses).size).toBe(17);
  expect(addresses.at(-1)).toBe("http://a:40");
});
