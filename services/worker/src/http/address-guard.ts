import { BlockList, isIP } from "node:net";

/**
 * Networks that a workflow must not reach by a URL of its own: the host itself, the cluster, the cloud's metadata. Ranges
 * of the IANA special-purpose registries, and the addresses outside of them where clouds answer questions about a machine.
 */
const FORBIDDEN_V4: readonly [string, number][] = [
  ["0.0.0.0", 8], // this host
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carrier-grade NAT; metadata of Alibaba Cloud
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // the platform address of Azure
  ["169.254.0.0", 16], // link-local; metadata of most clouds
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments; metadata of Oracle Cloud
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, broadcast
];

/** Of IPv6 only global unicast is public, and of that not what leads into IPv4 or is set aside. */
const GLOBAL_V6: readonly [string, number] = ["2000::", 3];
const FORBIDDEN_V6: readonly [string, number][] = [
  ["2001::", 23], // protocol assignments: Teredo, benchmarks, ORCHID
  ["2001:db8::", 32], // documentation
  ["2002::", 16], // 6to4: carries any IPv4 address
  ["3fff::", 20], // documentation
];

const forbidden = new BlockList();
for (const [network, prefix] of FORBIDDEN_V4) forbidden.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of FORBIDDEN_V6) forbidden.addSubnet(network, prefix, "ipv6");
const globalV6 = new BlockList();
globalV6.addSubnet(...GLOBAL_V6, "ipv6");

/** True for an IP address of the public internet. Everything that is not known to be public is not; text that is no address is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !forbidden.check(address, "ipv4");
    case 6:
      // Mapped, translated and zoned addresses are outside of global unicast: no need to look into them.
      return !address.includes("%") && globalV6.check(address, "ipv6") && !forbidden.check(address, "ipv6");
    default:
      return false;
  }
}
