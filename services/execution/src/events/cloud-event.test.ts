import type { EventMessage } from "@heddle/events";
import { describe, expect, it } from "vitest";
import { readCloudEvent } from "./cloud-event.ts";

const NOW = Date.parse("2026-01-31T10:00:00Z");
const BINARY = {
  ce_specversion: "1.0",
  ce_id: "17",
  ce_source: "/shop/orders",
  ce_type: "com.shop.order.paid",
  ce_subject: "7",
  ce_time: "2026-01-31T09:59:00Z",
  "content-type": "application/json; charset=utf-8",
};
const STRUCTURED = { "content-type": "application/cloudevents+json" };

function message(headers: object, value: string): EventMessage {
  return { topic: "orders", key: "", value: new TextEncoder().encode(value), headers: headers as never };
}

function read(headers: object, value: string) {
  return readCloudEvent(message(headers, value), { namespace: "default", now: NOW });
}

function structured(attributes: object) {
  const { "content-type": _, ...binary } = BINARY;
  const named = Object.fromEntries(Object.entries(binary).map(([name, value]) => [name.slice("ce_".length), value]));
  return read(STRUCTURED, JSON.stringify({ ...named, ...attributes }));
}

describe("a CloudEvent", () => {
  const heard = {
    namespace: "default",
    event: {
      id: "cloudevent/default//shop/orders 17",
      name: "com.shop.order.paid",
      key: "7",
      payload: { amount: 5 },
      executionId: "",
      workflowId: "",
      occurredAt: NOW - 60_000,
    },
  };

  it("is read in both modes alike", () => {
    expect(read(BINARY, '{"amount":5}')).toEqual(heard);
    expect(structured({ data: { amount: 5 }, datacontenttype: "application/json" })).toEqual(heard);
    expect(structured({ data: { amount: 5 } })).toEqual(heard);
  });

  it("may lack what the standard lets it lack", () => {
    const { ce_subject: _, ce_time: _t, "content-type": _c, ...least } = BINARY;
    expect(read(least, "").event).toMatchObject({ payload: null, occurredAt: NOW });
    expect(read(least, "").event).not.toHaveProperty("key");
    expect(structured({}).event.payload).toBeNull();
  });

  it("names its namespace, which is part of its id", () => {
    const { namespace, event } = read({ ...BINARY, ce_heddlenamespace: "shop" }, "1");
    expect([namespace, event.id]).toEqual(["shop", "cloudevent/shop//shop/orders 17"]);
  });

  it("does not come from the future", () => {
    expect(read({ ...BINARY, ce_time: "2026-01-31T11:00:00+00:30" }, "1").event.occurredAt).toBe(NOW);
    expect(read({ ...BINARY, ce_time: "2027-01-31T11:00:00Z" }, "1").event.occurredAt).toBe(NOW);
    expect(read({ ...BINARY, ce_time: "1969-07-20T20:17:40Z" }, "1").event.occurredAt).toBe(0);
  });

  it.each<[what: string, make: () => unknown, says: string]>([
    ["no event at all", () => read({}, "{}"), "neither headers ce_… (binary mode) nor the content-type"],
    ["another version", () => read({ ...BINARY, ce_specversion: "0.3" }, "1"), "specversion is 0.3; it must be 1.0"],
    ["no type", () => read({ ...BINARY, ce_type: undefined }, "1"), "the attribute type is missing"],
    ["a number as id", () => structured({ id: 17 }), "the attribute id is number; it must be a text"],
    ["a long type", () => structured({ type: "t".repeat(129) }), "has 129 characters, and the limit is 128"],
    ["other data", () => read({ ...BINARY, "content-type": "text/xml" }, "<a/>"), "its data are text/xml"],
    ["bytes", () => structured({ data_base64: "AA==" }), "it has data_base64"],
    ["broken data", () => read(BINARY, "{"), "the data is no JSON"],
    ["a list as event", () => read(STRUCTURED, "[]"), "the event is no JSON object"],
    ["a batch", () => read({ "content-type": "application/cloudevents-batch+json" }, "[]"), "can be read"],
    ["an odd time", () => read({ ...BINARY, ce_time: "noon" }, "1"), 'the attribute time is "noon"'],
    ["large data", () => read(BINARY, JSON.stringify("x".repeat(2_000_000))), "the data is 2000002 bytes of JSON"],
  ])("is refused with %s, and told what is wrong", (_what, make, says) => {
    expect(make).toThrow(says);
  });
});
