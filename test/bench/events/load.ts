/** What both sides publish and read. */
export interface Load {
  events: number;
  batch: number;
  bytes: number;
}

export interface Measured {
  eventsPerSecond: number;
  /** CPU of the process that publishes or reads, making the messages included. */
  clientMicroseconds: number;
}

const AGGREGATES = 1_000;

export function keyOf(number: number): string {
  return `01990f5e-7c1a-7000-8000-${String(number % AGGREGATES).padStart(12, "0")}`;
}

export function valueOf({ bytes }: Load): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 31) % 251));
}

export async function measure({ events }: Load, work: () => Promise<void>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { eventsPerSecond: events / seconds, clientMicroseconds: (user + system) / events };
}
