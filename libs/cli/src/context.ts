import type { TlsOptions } from "@heddle/rpc";
import type { CliClient } from "./client.ts";
import type { CliConfig } from "./config.ts";
import type { CliIo, OutputStream } from "./io.ts";
import { type Style, styleFor } from "./render/style.ts";

/** What every command gets. */
export interface CommandContext {
  readonly io: CliIo;
  readonly config: CliConfig;
  readonly address: string;
  readonly namespace: string;
  /** One JSON document on stdout, or JSON lines for streams, and nothing for people. */
  readonly json: boolean;
  /** Connects at the first call; loaded only by commands that need it. */
  client(): Promise<CliClient>;
  /** Colours, if this stream shows them. */
  style(stream: OutputStream): Style;
  /** A line on stdout. */
  print(line: string): void;
  /** A line for people on stderr; nothing with --json. */
  say(line: string): void;
  /** A document on stdout. */
  printJson(value: unknown): void;
}

/** Flags that every command takes; each goes before its variable of the environment. */
export interface GlobalFlags {
  address?: string;
  namespace?: string;
  json?: boolean;
  tlsCa?: string;
  tlsCert?: string;
  tlsKey?: string;
  tlsServerName?: string;
}

export interface ContextOptions {
  io: CliIo;
  config: CliConfig;
  flags: GlobalFlags;
  client(address: string, tls: TlsOptions): Promise<CliClient>;
}

export function createContext({
  io,
  config,
  flags,
  client,
}: ContextOptions): CommandContext & { close(): Promise<void> } {
  const address = flags.address ?? config.address;
  const json = flags.json ?? false;
  let connected: Promise<CliClient> | undefined;
  return {
    io,
    config,
    address,
    namespace: flags.namespace ?? config.namespace,
    json,
    client: () => (connected ??= client(address, tlsOf(config, flags))),
    style: (stream) => styleFor(stream, config),
    print: (line) => void io.stdout.write(`${line}\n`),
    say(line) {
      if (!json) io.stderr.write(`${line}\n`);
    },
    printJson: (value) => void io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    async close() {
      (await connected)?.close();
    },
  };
}

function tlsOf({ tls = {} }: CliConfig, flags: GlobalFlags): TlsOptions {
  return {
    caFile: flags.tlsCa ?? tls.caFile,
    certFile: flags.tlsCert ?? tls.certFile,
    keyFile: flags.tlsKey ?? tls.keyFile,
    serverName: flags.tlsServerName ?? tls.serverName,
  };
}
