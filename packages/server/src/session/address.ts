import ipaddr from "ipaddr.js";

/**
 * What limits count an address by: an IPv4 address itself, of an IPv6 address the network of 64 bits, since whoever has
 * one address there has all of them. An IPv4 address mapped into IPv6 is the IPv4 address. Text that is no address
 * counts as it stands.
 */
export const addressKey = (address: string): string => {
  if (!address.includes(":") || !ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(":")}::/64`;
};

/** Does the other end run on this machine? */
export const isLoopback = (address: string): boolean =>
  DOTTED.test(address)
    ? address.startsWith("127.")
    : ipaddr.isValid(address) && ipaddr.process(address).range() === "loopback";

/** IPv4 as sockets write it; there are other ways, which take longer to read. */
const DOTTED = /^(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.|$)){4}(?<!\.)$/;

const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;
/** An IPv4 address as such, where a socket that takes both kinds gives it as one of IPv6. */
export const plainAddress = (address: string): string => address.replace(MAPPED, "");
