import { DomainError } from "@heddle/errors";
import { describe, expect, it } from "vitest";
import { decodePageToken, encodePageToken } from "./page-token.ts";

describe("page tokens", () => {
  it.each(["order-17", "ünïcode/…", "", 42, 0])("bring back the position %j", (position) => {
    const filter = { namespace: "default", status: 2 };
    expect(decodePageToken(encodePageToken(position, filter), filter)).toBe(position);
  });

  it("do not mind the order of the filter's fields", () => {
    expect(decodePageToken(encodePageToken("a", { x: 1, y: 2 }), { y: 2, x: 1 })).toBe("a");
  });

  it("are refused with other filters", () => {
    const token = encodePageToken("a", { namespace: "default" });
    expect(() => decodePageToken(token, { namespace: "other" })).toThrow(/other filters/);
  });

  it.each([
    "x",
    "e30",
    "W10",
    Buffer.from('[2,"a","b"]').toString("base64url"),
    "%%%",
    Buffer.from('[1,"a",{}]').toString("base64url"),
  ])("are refused when they are none: %j", (token) => {
    const decode = (): unknown => decodePageToken(token, {});
    expect(decode).toThrow(DomainError);
    expect(decode).toThrow(/page_token/);
  });
});
