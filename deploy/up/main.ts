import { DomainError } from "@heddle/errors";
import { readUpConfig } from "./config.ts";
import { down } from "./down.ts";
import { pathsOf } from "./paths.ts";
import { up, type UpResult } from "./up.ts";

// All services as processes: `node deploy/up/main.ts`, and `node deploy/up/main.ts down`.
try {
  const config = readUpConfig();
  const say = (line: string): void => console.log(line);
  if (process.argv[2] === "down") {
    const ended = await down(config, say);
    say(ended === 0 ? "nothing was up" : "all is down; data and logs stay");
  } else {
    const interrupt = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => interrupt.abort(interrupted(signal)));
    }
    show(await up(config, { say, signal: interrupt.signal }), pathsOf(config).logs);
    // Sockets of the last probes and handles of detached children would keep it for a moment.
    process.exit(0);
  }
} catch (error) {
  console.error(error instanceof DomainError ? `heddle up: ${error.message}` : error);
  process.exit(1);
}

function interrupted(signal: string): DomainError {
  return new DomainError({
    kind: "aborted",
    reason: "INTERRUPTED",
    message: `ended by ${signal}; nothing is left running`,
  });
}

function show({ alreadyUp, processes, url, kafkaBrokers }: UpResult, logs: string): void {
  const width = Math.max(...processes.map(({ name }) => name.length));
  console.log(alreadyUp ? "\nHeddle is up already:\n" : "\nHeddle is up:\n");
  for (const { name, url: own, pid } of processes) console.log(`  ${name.padEnd(width)}  ${own}  pid ${pid}`);
  if (kafkaBrokers !== undefined) console.log(`  ${"Kafka".padEnd(width)}  ${kafkaBrokers.join(",")}`);
  console.log(`
Everything answers at ${url}:

  make demo URL=${url}
  npx heddle list --address ${url}
  grpcurl -plaintext ${url.slice("http://".length)} list

\`make logs\` follows the logs in ${logs}; \`make down\` ends all of it.`);
}
