import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import type { DescService } from "@bufbuild/protobuf";
import type { ChannelOptions } from "@grpc/grpc-js";
import { DomainError } from "@heddle/errors";
import type { RpcLimits } from "./limits.ts";

/** Calls that may be repeated are, when no server could take them: four attempts within a second or so. */
const RETRY_POLICY = {
  maxAttempts: 4,
  initialBackoff: "0.05s",
  maxBackoff: "1s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};

/**
 * How grpc-js is to connect: to every address that DNS gives, in turn (a headless Kubernetes service gives one for each
 * pod); with keepalive; and with retries for the unary methods of `services` that the contract calls idempotent.
 */
export function channelOptions(services: readonly DescService[], limits: RpcLimits): ChannelOptions {
  const name = services.flatMap(({ typeName, methods }) =>
    methods
      .filter(
        ({ methodKind, idempotency }) => methodKind === "unary" && idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
      )
      .map((method) => ({ service: typeName, method: method.name })),
  );
  return {
    "grpc.service_config": JSON.stringify({
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: name.length === 0 ? [] : [{ name, retryPolicy: RETRY_POLICY }],
      // A service that is down gets no storm of repeats: each failure costs a token, each success brings a tenth.
      retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
    }),
    "grpc.service_config_disable_resolution": 1,
    "grpc.keepalive_time_ms": limits.keepaliveIntervalMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5_000,
    // A rolling update replaces every address within seconds. With the default of 30 s between two questions to DNS, the
    // last known address may be gone while the new ones are not known yet.
    "grpc.dns_min_time_between_resolutions_ms": limits.resolutionIntervalMs,
    "grpc.max_receive_message_length": limits.messageMaxBytes,
    "grpc.max_send_message_length": limits.messageMaxBytes,
    "grpc-node.flow_control_window": limits.sessionWindowBytes,
    // Services of one cluster do not talk through a proxy for the internet.
    "grpc.enable_http_proxy": 0,
    // Two transports to one address are two connections: what one of them does never blocks the other.
    "grpc.use_local_subchannel_pool": 1,
  };
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/;

/**
 * What grpc-js dials for `host:port`, `dns:///host:port`, `http://host:port` or `https://host:port`, or several of them separated by commas,
 * which must be IPv4 addresses: grpc-js asks DNS for one name only. @throws DomainError `CONFIG_INVALID`
 */
export function grpcTarget(address: string): string {
  const targets = address.split(",").map((one) =>
    one
      .trim()
      .replace(/^https?:\/\//, "")
      .replace(/\/$/, ""),
  );
  const [first = "", ...more] = targets;
  if (more.length === 0) return isWithoutPort(address, first) ? `${first}:443` : first;
  const byTls = address.split(",").filter((one) => one.trim().startsWith("https://")).length;
  if (targets.every((target) => IPV4.test(target)) && (byTls === 0 || byTls === targets.length))
    return `ipv4:${targets.join(",")}`;
  throw new DomainError({
    kind: "invalid_argument",
    reason: "CONFIG_INVALID",
    message: `${address}: several addresses must be IPv4 addresses with a port, all with TLS or none; give one host name that resolves to all of them instead`,
  });
}

/** As of `https://heddle.example`. */
function isWithoutPort(address: string, target: string): boolean {
  return address.startsWith("https://") && !/:\d+$/.test(target);
}
