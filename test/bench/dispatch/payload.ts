/** A JSON object of exactly `bytes` bytes that carries a number, so that both ends can check what they got. */
export function payloadOf(number: number, bytes: number): string {
  const head = `{"n":${number},"pad":"`;
  return `${head}${"x".repeat(Math.max(0, bytes - head.length - 2))}"}`;
}

export function numberOf(json: string): number {
  return Number(json.slice(5, json.indexOf(",", 5)));
}

/** `<execution id>/<node id>/<attempt>`, spread over the 64 partitions. */
export function taskIdOf(number: number): string {
  const partition = (number & 63).toString(16).padStart(2, "0");
  return `01900000-0000-7000-8000-${number.toString(16).padStart(10, "0")}${partition}/work/1`;
}

/** The number in a task id. */
export function numberOfId(taskId: string): number {
  return Number.parseInt(taskId.slice(24, 34), 16);
}
