import { describe, expect, it } from "vitest";
import { LazyHeaders } from "./lazy-headers.ts";

const node = () => ({ ":path": "/x", "x-one": "1", "set-cookie": ["a=1", "b=2"], "x-none": undefined });

describe("LazyHeaders", () => {
  it("answers as headers that were copied would", () => {
    const headers = new LazyHeaders(node());
    const ask = () => [headers.get("X-One"), headers.get("set-cookie"), headers.get("nope"), headers.has("x-none")];
    const before = ask();
    expect([...headers.keys()]).toEqual(["set-cookie", "set-cookie", "x-one"]);
    expect([before, ask()]).toEqual(Array.from({ length: 2 }, () => ["1", "a=1, b=2", null, false]));
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(() => headers.get(":path")).toThrow(TypeError);
  });

  it.each<[string, (headers: LazyHeaders) => unknown, string | null]>([
    ["set", (headers) => headers.set("x-one", "2"), "2"],
    ["append", (headers) => headers.append("x-one", "2"), "1, 2"],
    ["delete", (headers) => headers.delete("x-one"), null],
  ])("can be changed by %s", (_, change, value) => {
    const headers = new LazyHeaders(node());
    change(headers);
    expect(headers.get("x-one")).toBe(value);
    expect(new Headers(headers).get("x-one")).toBe(value);
  });

  it("is Headers to everyone, before anything was read of it", () => {
    expect(new LazyHeaders(node())).toBeInstanceOf(Headers);
    expect(new Headers(new LazyHeaders(node())).get("x-one")).toBe("1");
    const visited: string[] = [];
    new LazyHeaders(node()).forEach((value, name) => visited.push(`${name}=${value}`));
    expect(visited).toEqual(["set-cookie=a=1", "set-cookie=b=2", "x-one=1"]);
    expect([...new LazyHeaders(node()).values()]).toEqual(["a=1", "b=2", "1"]);
  });
});
