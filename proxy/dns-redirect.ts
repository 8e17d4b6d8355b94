import { isIP } from 'node:net';
import { buildChain, interfaceSet, portSet, rangeRules } from './nft-terms.ts';
import { DNS_PORT, PROXY_UID } from './ports.ts';
import type { RedirectOptions } from './redirect.ts';

/**
 * Connection-tracking zone of captured questions. Redirection goes by connection, and for UDP that is a pair of sockets: resolvers put
 * questions of all types through one. In a zone of their own those for the sidecar are another connection, though the addresses are the same.
 */
export const DNS_ZONE = 15_053;

const DNS = 53;
/** Where the first name of a message begins, in bytes from the UDP header: that and DNS' own header come before it. */
const NAME_START = 8 + 12;
/** nftables reads payload up to here. Longer names are left to the pod's resolver. */
const LAST_OFFSET = 250;
/** The end of a name, type A, class IN. */
const ADDRESS_QUESTION = '0000010001';
const ADDRESS_QUESTION_TAIL = '00010001';
/** Most bytes that one comparison takes. */
const MAX_COMPARED = 16;

/**
 * The chains that pick out, of all datagrams to the pod's resolvers, the questions for IPv4 addresses of names outside of the cluster's
 * domain. Only those does Envoy answer as a resolver should: it knows no types but addresses, says "no such name" where one family is
 * missing (on which musl gives up the name altogether) and where the upstream resolver fails, and cuts times to live to its own. So all
 * else, Services above all, is asked of the pod's resolver as if there were no sidecar.
 *
 * @param resolvers addresses of the pod's nameservers. An application that asks another server wants that server's answer
 * @returns no chains where nothing is captured
 */
export function buildDnsChains(options: RedirectOptions, resolvers: readonly string[]): string[] {
  const { captureDnsOutside: domain, excludeInterfaces, excludeOutboundPorts, excludeOutboundRanges } = options;
  if (domain === '' || resolvers.length === 0 || excludeOutboundPorts.includes(DNS)) return [];
  const rules = [
    'meta l4proto != udp return',
    // The sidecar's answers, which take the way back.
    `oifname "lo" meta skuid ${PROXY_UID} udp sport ${DNS_PORT} ct zone set ${DNS_ZONE} return`,
    `udp dport != ${portSet([DNS])} return`,
    `meta skuid ${PROXY_UID} return`,
    // A resolver in the pod itself.
    'oifname "lo" return',
  ];
  if (excludeInterfaces.length > 0) rules.push(`oifname ${interfaceSet(excludeInterfaces)} return`);
  rules.push(...rangeRules(excludeOutboundRanges, 'return'), ...rangeRules(resolvers, 'jump dns-question'));
  return [
    ...buildChain('dns-question', undefined, buildQuestionRules(encodeName(domain))),
    ...buildChain('dns', 'type filter hook output priority -300', rules),
  ];
}

/** The addresses that `resolv.conf` names; those of loopback or with a scope are left out, as they can't be captured. */
export function readResolvers(resolvConf: string): string[] {
  const addresses = resolvConf.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  const capturable = addresses.filter((address) => isIP(address) > 0 && !/%|^127\.|^::1$/.test(address));
  return [...new Set(capturable)];
}

/** A name's length is in the name, so each possible end of it is looked at: the domain first, which is left alone, then any name. */
function buildQuestionRules(domain: string): string[] {
  const rules: string[] = [];
  for (let end = NAME_START + 2; end <= LAST_OFFSET; end++) {
    const start = end + 1 - domain.length / 2;
    if (start >= NAME_START) rules.push(`${compare(start, domain + ADDRESS_QUESTION_TAIL)} return`);
    rules.push(`${compare(end, ADDRESS_QUESTION)} ct zone set ${DNS_ZONE} return`);
  }
  return rules;
}

/** Compares the payload from a byte on with bytes in hex, in as many pieces as it takes. */
function compare(offset: number, hex: string): string {
  const terms: string[] = [];
  for (let at = 0; at < hex.length; at += MAX_COMPARED * 2) {
    const piece = hex.slice(at, at + MAX_COMPARED * 2);
    terms.push(`@th,${(offset + at / 2) * 8},${piece.length * 4} 0x${piece}`);
  }
  return terms.join(' ');
}

/** A name as in a DNS message, in hex: each label after its length, and a zero. */
function encodeName(name: string): string {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return `${Buffer.concat(labels).toString('hex')}00`;
}
