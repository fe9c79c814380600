import { BlockList, isIP } from "node:net";

/** What an operator lets requests reach although it is not public. */
export interface AllowList {
  /** True when the name itself is allowed, whatever it resolves to. */
  hasName(hostname: string, port: number): boolean;
  hasAddress(address: string, port: number): boolean;
}

interface Entry {
  /** Lower case; set for names. */
  name?: string;
  /** Set for addresses and networks. */
  network?: BlockList;
  family?: "ipv4" | "ipv6";
  /** Absent: every port. */
  port?: number;
}

/**
 * Reads entries such as `127.0.0.1:8080`, `10.0.0.0/8`, `10.0.0.0/8:443`, `[::1]:3000`, `fd00::/8`, `crm.internal:443`.
 * @throws TypeError that names the entry which is none of these
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const parsed = entries.map(parseEntry);
  return {
    hasName: (hostname, port) => parsed.some((entry) => entry.name === hostname.toLowerCase() && onPort(entry, port)),
    hasAddress(address, port) {
      const version = isIP(address);
      if (version === 0) return false;
      const family = version === 4 ? "ipv4" : "ipv6";
      // A network is for its own family: an IPv4-mapped address is not what the operator wrote down.
      return parsed.some(
        (entry) => entry.family === family && onPort(entry, port) && entry.network?.check(address, family) === true,
      );
    },
  };
}

function onPort({ port }: Entry, asked: number): boolean {
  return port === undefined || port === asked;
}

function parseEntry(text: string): Entry {
  const { host, port } = splitPort(text);
  const [base = "", prefixText, ...rest] = host.split("/");
  const version = isIP(base);
  if (version === 0) {
    if (prefixText !== undefined || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(base)) throw invalid(text);
    return { name: base.toLowerCase(), port };
  }
  const widest = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? widest : Number(prefixText);
  if (rest.length > 0 || prefixText === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > widest)
    throw invalid(text);
  const family = version === 4 ? "ipv4" : "ipv6";
  const network = new BlockList();
  network.addSubnet(base, prefix, family);
  return { network, family, port };
}

/** `[v6]:port`, `[v6]/64:port`, bare IPv6 without a port, or `host:port`. */
function splitPort(text: string): { host: string; port: number | undefined } {
  const [, v6, v6Prefix = "", v6Port] = /^\[([^\]]+)\](\/\d+)?(?::(\d+))?$/.exec(text) ?? [];
  if (v6 !== undefined) return { host: v6 + v6Prefix, port: readPort(v6Port, text) };
  if (text.split(":").length > 2) return { host: text, port: undefined };
  const [host = "", port] = text.split(":");
  return { host, port: readPort(port, text) };
}

function readPort(digits: string | undefined, text: string): number | undefined {
  if (digits === undefined) return undefined;
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port < 1 || port > 65_535) throw invalid(text);
  return port;
}

function invalid(text: string): TypeError {
  return new TypeError(
    `"${text}" cannot be allowed: write an address, a network or a name, with a port or without, e.g. 127.0.0.1:8080, 10.0.0.0/8, [::1]:3000 or crm.internal:443`,
  );
}
