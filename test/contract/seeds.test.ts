import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readSourceTree } from "../architecture/source-tree.ts";
import { readContract } from "./contract.ts";
import { reasonsExist } from "./error-reasons.ts";
import { CONTRACT_RULES } from "./rules.ts";

const PROTO = "proto/heddle/order/v1/order_service.proto";

/** Where a line breaks rules, a comment at its end names them. */
const SEEDED = `syntax = "proto3";
package heddle.order.v1;
import "buf/validate/validate.proto";

// Takes orders and keeps them.
service OrderService {
  // Starts an order and answers once it is durable.
  rpc StartOrder(StartOrderRequest) returns (StartOrderResponse) { // idempotency-stated request-ids
  }
  // Lists all orders, newest first, page by page.
  rpc ListOrders(ListOrdersRequest) returns (ListOrdersResponse) { // paged-lists
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Gets it.
  rpc GetOrder(GetOrderRequest) returns (Order) { // documented request-response-names
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  // Follows orders until one side closes the stream.
  rpc FollowOrders(stream FollowOrdersRequest) returns (stream FollowOrdersResponse) {
    option idempotency_level = IDEMPOTENCY_UNKNOWN;
  }
}

// Request of StartOrder.
message StartOrderRequest {
  // Idempotency key of the caller, of any length.
  string request_id = 1; // bounded-requests
  repeated string items = 2 [(buf.validate.field).repeated.max_items = 5]; // documented
  // Labels to find the order by.
  map<string, string> labels = 3; // bounded-requests
  // Picture of the order, up to 1 KiB.
  bytes picture = 4 [(buf.validate.field).bytes.max_len = 1024];
  // Digest of the picture, hexadecimal.
  string digest = 5 [(buf.validate.field).string.pattern = "^[0-9a-f]{64}$"];
  // Name of a colour, never ending.
  string colour = 6 [(buf.validate.field).string.pattern = "^[a-z]+$"]; // bounded-requests
  // 0 is the highest priority.
  optional uint32 priority = 7;
}
// Response of StartOrder.
message StartOrderResponse {}
// Request of ListOrders.
message ListOrdersRequest {
  // Most orders to return; 0 means 10.
  uint32 page_size = 1; // has no bound, see ListOrders
  // Token of the page to return.
  string page_token = 2 [(buf.validate.field).string.max_len = 100];
}
// Response of ListOrders.
message ListOrdersResponse {
  // One page of orders.
  repeated Order orders = 1;
  // Token of the next page.
  string next_page_token = 2;
}
// Request of GetOrder.
message GetOrderRequest {
  // Id of the order, a UUID.
  string order_id = 1 [(buf.validate.field).string.uuid = true];
}
// An order with a comment that ends nowhere
message Order { // documented
  // How far it is.
  Status status = 1;
}
// Request of FollowOrders.
message FollowOrdersRequest {}
// Response of FollowOrders.
message FollowOrdersResponse {}
// How far an order is.
enum Status {
  // The order was taken.
  STATUS_TAKEN = 0; // zero-unspecified
}
`;

const UNLISTED = `syntax = "proto3";
package heddle.stock.v1;
// Counts what is there.
service StockService {} // reasons-listed
`;

const REASONS = (name: string, value: string): string => `syntax = "proto3";
package heddle.${name}.v1;
// Reasons of this package.
enum ErrorReason {
  // Never sent.
  ERROR_REASON_UNSPECIFIED = 0;
  // NOT_FOUND: it is not there.
  ERROR_REASON_${value} = 1;
}
`;

const ROOT_FILES = {
  "package.json": '{ "name": "seeded" }\n',
  "buf.yaml": "version: v2\nmodules: [{ path: proto, excludes: [proto/vendor] }, { path: proto/vendor }]\n",
  [PROTO]: SEEDED,
  "proto/heddle/stock/v1/stock_service.proto": UNLISTED,
  "proto/heddle/order/v1/error_reason.proto": REASONS("order", "ORDER_NOT_FOUND"),
  "proto/heddle/common/v1/error_reason.proto": REASONS("common", "OVERLOADED"),
  "services/order/src/index.ts": [
    'export const a = { reason: "ORDER_NOT_FOUND" };',
    'export const b = { reason: "OVERLOADED" };',
    'export const c = { reason: "ORDER_NOT_FUOND" };',
    'export const d = (x: boolean) => ({ reason: x ? "OVERLOADED" : "LATE" });',
    'export const OrderReason = { gone: "GONE" } as const;',
    'export const e = { reason: "the node was skipped" };',
  ].join("\n"),
  "services/stock/src/index.ts": 'export const a = { reason: "ORDER_NOT_FOUND" };',
  "libs/engine/src/index.ts": 'export const a = { reason: "ORDER_NOT_FOUND" };\nexport const b = { reason: "NOBODY" };',
};

const root = mkdtempSync(join(tmpdir(), "contract-"));
afterAll(() => rmSync(root, { recursive: true }));
for (const [path, text] of Object.entries(ROOT_FILES)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
cpSync(new URL("../../proto/vendor", import.meta.url), join(root, "proto/vendor"), { recursive: true });
const contract = readContract(root);

/** `file:line` of the lines whose comment names the rule. */
function seededPlaces(rule: string): string[] {
  return [SEEDED, UNLISTED].flatMap((text) =>
    text.split("\n").flatMap((line, index) => {
      const named = line.split("// ").at(-1)?.split(" ") ?? [];
      const file = text === SEEDED ? PROTO : "proto/heddle/stock/v1/stock_service.proto";
      return line.includes("// ") && !line.trim().startsWith("//") && named.includes(rule)
        ? [`${file}:${index + 1}`]
        : [];
    }),
  );
}

describe("a rule fails where the contract breaks it, and nowhere else", () => {
  test.each(CONTRACT_RULES)("$id", (rule) => {
    const expected = seededPlaces(rule.id);
    expect(expected).not.toHaveLength(0);
    expect(
      rule
        .check(contract)
        .map(({ file, line }) => `${file}:${line}`)
        .sort(),
    ).toEqual(expected.sort());
  });

  test(reasonsExist.id, () => {
    const findings = reasonsExist.check({ contract, tree: readSourceTree(root) });
    expect(findings.map(({ file, line, what }) => `${file}:${line} ${what}`)).toEqual([
      "libs/engine/src/index.ts:2 gives NOBODY",
      "services/order/src/index.ts:3 gives ORDER_NOT_FUOND",
      "services/order/src/index.ts:4 gives LATE",
      "services/order/src/index.ts:5 gives GONE",
      "services/stock/src/index.ts:1 gives ORDER_NOT_FOUND",
    ]);
  });
});
