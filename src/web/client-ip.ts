import ipaddr from 'ipaddr.js';

/** A client's address, and the network that limits count by. */
export interface Client {
  readonly address: string;
  readonly network: string;
}

/**
 * The address a request comes from. `X-Forwarded-For` is believed only as far as listed proxies wrote it: read from the
 * right, the first entry that is not one of them is the client; anything further left is the client's own claim.
 */
export function clientOf(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: readonly string[],
): Client {
  const hops = [...(forwardedFor?.split(',') ?? []).map((hop) => hop.trim()), peer ?? ''];
  let client = parse(peer ?? '');
  for (const hop of hops.toReversed()) {
    const address = parse(hop);
    if (!address) break;
    client = address;
    if (!trusted.some((entry) => covers(entry, address))) break;
  }
  if (!client) return { address: 'unknown', network: 'unknown' };
  return { address: client.toString(), network: networkOf(client) };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

// `process` folds IPv4-mapped IPv6 addresses into IPv4, so that one client has one address.
// Some proxies write the port with it.
function parse(hop: string): Address | undefined {
  const [, v6, v4] = /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop) ?? [];
  const text = v6 ?? v4 ?? hop;
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}

function covers(entry: string, address: Address): boolean {
  const [network, bits] = ipaddr.isValidCIDR(entry) ? ipaddr.parseCIDR(entry) : [ipaddr.process(entry), undefined];
  if (network.kind() !== address.kind()) return false;
  return address.match(network, bits ?? (address.kind() === 'ipv4' ? 32 : 128));
}

function networkOf(address: Address): string {
  if (address.kind() === 'ipv4') return address.toString();
  return `${(address as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
