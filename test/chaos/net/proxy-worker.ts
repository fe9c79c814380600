import { parentPort } from "node:worker_threads";
import { createTcpProxy, type TcpProxy } from "./tcp-proxy.ts";
import type { ProxyAnswer, ProxyCall } from "./proxy-thread.ts";

/* The thread of `createProxyThread`: proxies by number, told by messages what to do. */
const proxies: TcpProxy[] = [];

parentPort?.on("message", (call: ProxyCall) => {
  void answer(call).then((value) => parentPort?.postMessage({ id: call.id, value } satisfies ProxyAnswer));
});

async function answer(call: ProxyCall): Promise<ProxyAnswer["value"]> {
  if (call.name === "open") {
    const index = proxies.push(await createTcpProxy({ host: "127.0.0.1", port: call.port })) - 1;
    return { index, port: (proxies[index] as TcpProxy).port };
  }
  const proxy = proxies[call.index] as TcpProxy;
  switch (call.name) {
    case "cut": {
      const { connections } = proxy;
      proxy.cut({ refuse: call.refuse });
      return connections;
    }
    case "mend":
      return proxy.mend();
    case "delay":
      return proxy.delay(call.delayMs);
    case "swallowAnswer":
      return await proxy.swallowAnswer(call.texts, AbortSignal.timeout(call.patienceMs));
  }
}
