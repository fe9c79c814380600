/** What the load takes from its pod's environment. */
export function readLoadConfig(env: NodeJS.ProcessEnv = process.env): {
  address: string;
  inFlight: number;
  port: number;
} {
  return {
    address: env["HEDDLE_ADDRESS"] ?? "http://127.0.0.1:7233",
    inFlight: Number(env["LOAD_IN_FLIGHT"] ?? 64),
    port: Number(env["LOAD_PORT"] ?? 8080),
  };
}
