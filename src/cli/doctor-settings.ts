import ipaddr from 'ipaddr.js';
import { unknownVariables, type Config } from '../config.ts';
import type { Finding } from './finding.ts';

/** What the environment says, and whether its parts fit each other. */
export function examineSettings(config: Config): Finding[] {
  return [settings(), address(config)];
}

/** "SALLYPORT_PORT: is a number …": the name is what was found, the sentence how to mend it. */
export function unusable(problem: string): Finding {
  const [name = '', ...rule] = problem.split(': ');
  return { check: 'Settings', found: `${name} cannot be used`, mend: `${name} ${rule.join(': ')}` };
}

function settings(): Finding {
  const unknown = unknownVariables();
  if (unknown.length === 0) return { check: 'Settings', found: 'all are known' };
  return {
    check: 'Settings',
    found: `not known to this version: ${unknown.join(', ')}`,
    mend: 'remove them, or correct their names',
  };
}

/** Where browsers reach the server, where it listens, and whose word it believes about them. */
export function address({ publicUrl, host, trustedProxies }: Config): Finding {
  const check = 'Address';
  const local = publicUrl.startsWith('http:');
  const open = !['127.0.0.1', '::1', 'localhost'].includes(host);
  const tooWide = trustedProxies.filter(isTooWide);
  if (local && open) {
    return {
      check,
      found: `${publicUrl}, and it listens on ${host}`,
      mend: 'browsers elsewhere need https: set SALLYPORT_PUBLIC_URL to the address of your proxy',
    };
  }
  if (tooWide.length > 0) {
    return {
      check,
      found: `${publicUrl}, and whoever is in ${tooWide.join(', ')} is trusted as a proxy`,
      mend: 'anybody there can write any address into X-Forwarded-For and so escape the limits: name your proxies alone',
    };
  }
  if (!local && trustedProxies.length === 0) {
    return open
      ? {
          check,
          found: `${publicUrl}, and it listens on ${host} without a proxy`,
          mend: 'it speaks no https itself: put a proxy in front, name it in SALLYPORT_TRUSTED_PROXIES, and listen where only the proxy comes',
        }
      : {
          check,
          found: `${publicUrl}, and no proxy is trusted`,
          mend: 'all visitors count as one, the proxy: set SALLYPORT_TRUSTED_PROXIES to its address',
        };
  }
  return {
    check,
    found: local ? `${publicUrl}, for this machine alone` : `${publicUrl}, behind ${trustedProxies.join(', ')}`,
  };
}

// The widest networks that a distributor of content asks to be trusted are IPv4 /13 and IPv6 /29. A wider one with
// public addresses is a slip, and so is one that reaches from private addresses into public ones.
const WIDEST_PUBLIC_BITS = { ipv4: 12, ipv6: 24 };

function isTooWide(entry: string): boolean {
  if (!ipaddr.isValidCIDR(entry)) return false;
  const [network, bits] = ipaddr.parseCIDR(entry);
  if (bits >= WIDEST_PUBLIC_BITS[network.kind()]) return false;
  // 10.0.0.0/8, fc00::/7 and 127.0.0.0/8 are wide and nobody's from outside.
  const closed = network.kind() === 'ipv4' ? ['10.0.0.0/8', '127.0.0.0/8'] : ['fc00::/7', 'fe80::/10'];
  return !closed.some((range) => {
    const [around, least] = ipaddr.parseCIDR(range);
    return bits >= least && network.match(around, least);
  });
}
