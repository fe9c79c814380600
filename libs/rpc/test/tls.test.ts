import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createMetrics } from "@heddle/telemetry";
import { createTestAuthority, findCertificateRemedy, type TestAuthority } from "@heddle/testing";
import { Health } from "@heddle/proto/grpc/health/v1/health_pb.js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type Certificates,
  createConnectTransport,
  createDialer,
  createGrpcTransport,
  createRpcClient,
  createServer,
  openCertificates,
  type RpcServer,
  type RpcTransport,
  type ServerTls,
} from "../src/index.ts";
import { echoRoutes, silent } from "./echo-server.ts";
import { EchoService } from "./echo-service.ts";

const remedy = findCertificateRemedy();
const folder = mkdtempSync(join(tmpdir(), "heddle-tls-"));
const endings: (() => unknown)[] = [];
let authority: TestAuthority;
let stranger: TestAuthority;

beforeAll(() => {
  if (remedy !== undefined) return;
  authority = createTestAuthority(mkdtempSync(join(folder, "ours-")), "ours");
  stranger = createTestAuthority(mkdtempSync(join(folder, "other-")), "other");
  authority.issue("server", ["localhost", "127.0.0.1", "::1", "heddle-echo"]);
  authority.issue("named", ["heddle-echo"]);
  authority.issue("client", []);
  stranger.issue("client", []);
});
beforeEach((context) => remedy !== undefined && context.skip(remedy));
afterEach(async () => {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
});
afterAll(() => rmSync(folder, { recursive: true }));

function certificates(holder: string, { mtls = false, of = authority } = {}): Certificates {
  const own = { certFile: join(of.caFile, "..", `${holder}.crt`), keyFile: join(of.caFile, "..", `${holder}.key`) };
  const opened = openCertificates(
    { ...own, caFile: authority.caFile, ...(mtls && { clientCaFile: authority.caFile }) },
    { checkIntervalMs: 20 },
  );
  endings.push(() => opened.close());
  return opened;
}

/** The authority alone, as a caller has it that shows nothing of itself. */
function trust(): Certificates {
  const opened = openCertificates({ caFile: authority.caFile });
  endings.push(() => opened.close());
  return opened;
}

async function serve(tls: ServerTls, host?: string): Promise<{ port: number; url: string; server: RpcServer }> {
  const server = createServer({ routes: echoRoutes(), logger: silent, metrics: createMetrics(), tls, host });
  const listening = await server.listen();
  endings.push(() => server.close({ drainMs: 0 }));
  return { ...listening, server };
}

const transports: Record<string, (url: string, tls: Parameters<typeof createDialer>[0]) => RpcTransport> = {
  "grpc-js": (url, options) => createGrpcTransport(url, options),
  connect: (url, options) => createConnectTransport(url, options),
};

function connect(name: string, url: string, known?: Certificates, serverName?: string) {
  const transport = (transports[name] as (typeof transports)[string])(url, {
    tls: { certificates: known, serverName },
  });
  endings.push(() => transport.close());
  return createRpcClient(EchoService, transport);
}

describe.each(Object.keys(transports))("over %s", (name) => {
  it("carries calls and streams by TLS, to a name and to an address", async () => {
    const { url, port } = await serve({ certificates: certificates("server") });
    expect(url).toBe(`https://127.0.0.1:${port}`);
    for (const address of [url, `https://localhost:${port}`]) {
      const client = connect(name, address, trust());
      expect(await client.once({ text: "hello", count: 1 })).toMatchObject({ text: "hello" });
      const counts = [];
      for await (const { count } of client.down({ text: "x", count: 3 })) counts.push(count);
      expect(counts).toEqual([1, 2, 3]);
    }
  });

  it("takes callers with a certificate of the authority, and says why it takes no others", async () => {
    const { url } = await serve({ certificates: certificates("server", { mtls: true }) });
    expect(await connect(name, url, certificates("client")).once({ text: "hello" })).toMatchObject({ text: "hello" });
    await expect(connect(name, url, trust()).once({})).rejects.toMatchObject({
      kind: "unauthenticated",
      message: expect.stringMatching(/only of clients with a certificate of the right authority.*HEDDLE_TLS_CERT_FILE/),
    });
    await expect(connect(name, url, certificates("client", { of: stranger })).once({})).rejects.toMatchObject({
      kind: "unauthenticated",
      message: expect.stringContaining("of the right authority"),
    });
  });

  it("calls no server whose certificate is of a stranger, or of another name", async () => {
    const { url, port } = await serve({ certificates: certificates("named") });
    await expect(connect(name, url).once({})).rejects.toMatchObject({
      message: expect.stringMatching(/authority that is not trusted here.*HEDDLE_TLS_CA_FILE/),
    });
    for (const address of [url, `https://localhost:${port}`]) {
      await expect(connect(name, address, trust()).once({})).rejects.toMatchObject({
        message: expect.stringMatching(/for other names than the address.*HEDDLE_TLS_SERVER_NAME/),
      });
      const client = connect(name, address, trust(), "heddle-echo");
      expect(await client.once({ text: "named" })).toMatchObject({ text: "named" });
    }
  });

  it("says that a server speaks no TLS, and that a server wants it", async () => {
    const plain = createServer({ routes: echoRoutes(), logger: silent });
    endings.push(() => plain.close({ drainMs: 0 }));
    const { port } = await plain.listen();
    await expect(connect(name, `https://127.0.0.1:${port}`, trust()).once({})).rejects.toMatchObject({
      message: expect.stringContaining("use http:// for it"),
    });
    const secure = await serve({ certificates: certificates("server", { mtls: true }) });
    await expect(connect(name, `http://127.0.0.1:${secure.port}`).once({ text: "x" })).rejects.toMatchObject({
      kind: "unauthenticated",
      message: expect.stringContaining("by TLS only"),
    });
  });

  it("goes on over a rotation of certificates and authority, with new connections and old ones", async () => {
    const turning = mkdtempSync(join(folder, "turning-"));
    const files = {
      certFile: join(turning, "tls.crt"),
      keyFile: join(turning, "tls.key"),
      caFile: join(turning, "ca.crt"),
      clientCaFile: join(turning, "ca.crt"),
    };
    const put = (from: TestAuthority, holder: string) => {
      const { certFile, keyFile } = from.issue(holder, ["127.0.0.1"]);
      copyFileSync(from.caFile, files.caFile);
      copyFileSync(keyFile, files.keyFile);
      copyFileSync(certFile, files.certFile);
    };
    put(authority, "first");
    const opened = openCertificates(files, { checkIntervalMs: 20 });
    endings.push(() => opened.close());
    const { url } = await serve({ certificates: opened });
    const old = connect(name, url, opened);
    await old.once({ text: "before" });
    const ended = endless(old);

    const changed = new Promise<void>((resolve) => opened.onChange(resolve));
    put(stranger, "second");
    await changed;
    expect(await old.once({ text: "after" })).toMatchObject({ text: "after" });
    expect(ended()).toBe(false);
    expect(await connect(name, url, opened).once({ text: "new" })).toMatchObject({ text: "new" });
    // Who knows only the old authority is a stranger now.
    await expect(connect(name, url, certificates("client")).once({})).rejects.toMatchObject({
      metadata: { tls: "failed" },
    });
  });
});

/** Opens a stream that does not end, and tells whether it has ended all the same. */
function endless(client: ReturnType<typeof connect>): () => boolean {
  let isOver = false;
  const abort = new AbortController();
  endings.push(() => abort.abort());
  void (async () => {
    for await (const _ of client.down({ text: "slow", count: 1 }, { signal: abort.signal }));
  })()
    .catch(() => undefined)
    .finally(() => (isOver = true));
  return () => isOver;
}

describe("one port", () => {
  it("speaks HTTP/1.1 by TLS too", async () => {
    const { port } = await serve({ certificates: certificates("server") });
    const answer = await getByHttp1(port, "/healthz");
    expect(answer).toEqual({ status: 200, body: '{"status":"SERVING"}', protocol: "1.1" });
  });

  it("answers probes and metrics without TLS, and refuses the rest", async () => {
    const { port } = await serve({ certificates: certificates("server", { mtls: true }) });
    const base = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${base}/healthz`)).json()).toEqual({ status: "SERVING" });
    expect(await (await fetch(`${base}/metrics`)).text()).toContain("# TYPE");
    const refused = await fetch(`${base}/heddle.test.v1.EchoService/Once`, { method: "POST", body: "{}" });
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain("https://");
    // As a kubelet asks.
    const transport = createGrpcTransport(`127.0.0.1:${port}`);
    endings.push(() => transport.close());
    expect(await createRpcClient(Health, transport).check({})).toMatchObject({ status: 1 });
  });

  it("closes connections without TLS when it is told to, and answers all of them when it is told to", async () => {
    const strict = await serve({ certificates: certificates("server"), cleartext: "none" });
    await expect(fetch(`http://127.0.0.1:${strict.port}/healthz`)).rejects.toThrow("fetch failed");
    const open = await serve({ certificates: certificates("server"), cleartext: "all" });
    for (const [address, known] of [
      [`http://127.0.0.1:${open.port}`, undefined],
      [open.url, trust()],
    ] as const) {
      expect(await connect("grpc-js", address, known).once({ text: "both" })).toMatchObject({ text: "both" });
    }
  });

  it("ends connections of all kinds when it closes, also those in the midst of a handshake", async () => {
    const { port, url, server } = await serve({ certificates: certificates("server") });
    const client = connect("grpc-js", url, trust());
    await client.once({ text: "x" });
    await fetch(`http://127.0.0.1:${port}/healthz`);
    const { connect: connectTcp } = await import("node:net");
    const half = connectTcp(port, "127.0.0.1");
    const closed = new Promise((resolve) => half.once("close", resolve));
    half.on("error", () => undefined);
    // The beginning of a handshake, and no more.
    half.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    const answered = client.once({ text: "wait 150" });
    await sleep(50);
    await server.close({ drainMs: 5_000 });
    expect(await answered).toMatchObject({ text: "wait 150" });
    await closed;
  });

  it("takes turns among replicas by address, each of which shows the name of their service", async () => {
    const first = await serve({ certificates: certificates("named") });
    const second = await serve({ certificates: certificates("named") });
    const dialer = createDialer({ tls: { certificates: trust(), serverName: "heddle-echo" } });
    endings.push(() => dialer.close());
    for (const address of [first.url, second.url, `${first.url},${second.url}`]) {
      const client = createRpcClient(EchoService, dialer.dial(address));
      expect(await client.once({ text: address })).toMatchObject({ text: address });
    }
  });

  it("carries calls to an address of IPv6, with TLS and without", async (context) => {
    if (!hasIpv6()) context.skip("there is no IPv6 here: no interface has ::1");
    const { url, port } = await serve({ certificates: certificates("server"), cleartext: "all" }, "::1");
    expect(url).toBe(`https://[::1]:${port}`);
    for (const address of [url, url.replace("https:", "http:")]) {
      expect(await connect("grpc-js", address, trust()).once({ text: address })).toMatchObject({ text: address });
    }
  });

  it("speaks HTTP/2 only where that was agreed on", async () => {
    const { url } = await serve({ certificates: certificates("server") });
    const session = http2.connect(url, { ca: readFileSync(authority.caFile) });
    endings.push(() => session.destroy());
    await new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject));
    expect(session.alpnProtocol).toBe("h2");
  });
});

describe("files", () => {
  it.each([
    ["are missing", { caFile: "/nowhere/ca.crt" }, /\/nowhere\/ca\.crt cannot be used: it cannot be read \(ENOENT\)/],
    ["are alone", { certFile: "a.crt" }, /a\.crt cannot be used: a certificate and its key are given together/],
    ["are no PEM", { caFile: import.meta.filename }, /it is no PEM file/],
  ])("that %s are refused with their path", (_, files, message) => {
    expect(() => openCertificates(files)).toThrow(message);
  });

  it("of a certificate and another's key are refused; later they leave what was there", async () => {
    const { certFile } = authority.issue("one", []);
    const { keyFile } = authority.issue("two", []);
    expect(() => openCertificates({ certFile, keyFile })).toThrow(/one\.crt cannot be used: .*key values mismatch/);

    const files = authority.issue("three", []);
    const errors: unknown[] = [];
    const logger = { ...silent, error: (fields: unknown) => errors.push(fields) } as unknown as typeof silent;
    const opened = openCertificates(files, { checkIntervalMs: 10, logger });
    endings.push(() => opened.close());
    const before = opened.current;
    writeFileSync(files.keyFile, readFileSync(keyFile));
    await expect.poll(() => errors.length).toBe(1);
    expect(opened.current).toBe(before);
    authority.issue("three", []);
    await expect.poll(() => opened.current === before).toBe(false);
    expect(errors).toHaveLength(1);
    expect(opened.expiresAt).toBeGreaterThan(Date.now());
  });
});

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some(({ address }) => address === "::1"));
}

async function getByHttp1(port: number, path: string): Promise<{ status?: number; body: string; protocol: string }> {
  const options = { host: "127.0.0.1", port, path, ca: readFileSync(authority.caFile), agent: false };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    https.get(options, resolve).once("error", reject);
  });
  return { status: response.statusCode, body: await text(response), protocol: response.httpVersion };
}
