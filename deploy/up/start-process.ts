import { join } from "node:path";
import { findFreePort } from "./free-port.ts";
import { createServiceProcess, type ServiceProcess } from "./service-process.ts";
import type { ServiceName } from "./services.ts";

export interface StartProcessOptions {
  service: ServiceName;
  /** Its log becomes `<logDir>/<name>.log`. */
  logDir: string;
  /** Settings of the service: see its `main.ts check-config`. Variables of this process are inherited. */
  env?: Readonly<Record<string, string>>;
  /** Default: the service. Replicas need one each; it is their HEDDLE_OWNER. */
  name?: string;
  /** Default: a free one. Stays the same over restarts. */
  port?: number;
  nodeArguments?: readonly string[];
}

/** Starts a service as a process on loopback and waits until it is ready. Whoever starts it ends it. */
export async function startProcess(options: StartProcessOptions): Promise<ServiceProcess> {
  const { service, logDir, env = {}, name = service, nodeArguments } = options;
  const port = options.port ?? (await findFreePort());
  const created = createServiceProcess({
    service,
    name,
    port,
    env: { HEDDLE_OWNER: name, ...env },
    logFile: join(logDir, `${name}.log`),
    nodeArguments,
  });
  try {
    await created.start();
  } catch (error) {
    await created.kill();
    throw error;
  }
  return created;
}
