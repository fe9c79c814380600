import type { ClusterConfig } from "./config.ts";
import type { Kube } from "./kube.ts";
import type { RoundTls } from "./tls.ts";

/** What the checks of one round share. */
export interface Session {
  config: ClusterConfig;
  kube: Kube;
  /** For what runs on, such as a port-forward. */
  kubectlPath: string;
  grpcurl: string | undefined;
  database: string;
  /** Of its topics: what rounds before it have published is not its own. */
  topicPrefix: string;
  /** Of a round with TLS. */
  tls: RoundTls | undefined;
  log(line: string): void;
}

/** One thing that must hold, with the figures to tell of it. Throws when it does not. */
export interface Check {
  name: string;
  run(session: Session): Promise<string>;
}

/** Waits until `read` gives something, asking every half second. @throws Error that says what did not come */
export async function eventually<T>(what: string, read: () => Promise<T | undefined>, timeoutMs = 120_000): Promise<T> {
  let last = "";
  for (const end = Date.now() + timeoutMs; Date.now() < end; ) {
    try {
      const value = await read();
      if (value !== undefined) return value;
    } catch (error) {
      last = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what} did not come within ${timeoutMs / 1000} s${last === "" ? "" : `: ${last}`}`);
}

export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Where the suite is for pods: the edge, or its headless Service. */
export function addressOf({ config, tls }: Session, service = config.release): string {
  return `${tls === undefined ? "http" : "https"}://${service}:7233`;
}

export const seconds = (beganAt: number): string => `${((performance.now() - beganAt) / 1000).toFixed(1)} s`;
