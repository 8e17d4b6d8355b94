import { BlockList, isIP } from 'node:net';

/** Blocks of addresses, as settings have them: `10.0.0.0/8` or `10.1.2.3`. */
export function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', bits] = block.split('/');
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/** Whether an address, of IPv4 or IPv6, is in one of the blocks; what is no address is in none. */
export function isWithin(address: string, blocks: BlockList): boolean {
  const family = isIP(address);
  return family !== 0 && blocks.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

/** This machine, its link (where clouds tell a machine its secrets), many machines at once, and what is no place at all. */
const FORBIDDEN = blockList([
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/128', '::1/128', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  // What clouds serve secrets at besides: Alibaba, Oracle, Azure; Amazon and Google by IPv6.
  ...['100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'],
]);

/** Prefixes of IPv6 behind which an IPv4 address follows (mapped, compatible, translated, NAT64), or precedes (6to4). */
const MAPPED = blockList(['::ffff:0:0/96', '::/96', '::ffff:0:0:0/96', '64:ff9b::/96']);
const SIX_TO_FOUR = blockList(['2002::/16']);

/**
 * Whether keys may be fetched from an address.
 * @param address of IPv4 or IPv6
 * @param allowed what is allowed although it would not be
 */
export function mayReach(address: string, allowed: BlockList): boolean {
  const family = isIP(address);
  // An interface (`fe80::1%eth0`) is of this machine's links.
  if (family === 0 || address.includes('%')) return false;
  if (isWithin(address, allowed)) return true;
  if (isWithin(address, FORBIDDEN)) return false;
  const inner = family === 6 ? embedded(address) : undefined;
  return inner === undefined || mayReach(inner, allowed);
}

/** The IPv4 address that an IPv6 address stands for. */
function embedded(address: string): string | undefined {
  const [first = 0, second = 0, third = 0, ...rest] = groupsOf(address);
  const [high, low] = MAPPED.check(address, 'ipv6')
    ? [rest.at(-2), rest.at(-1)]
    : SIX_TO_FOUR.check(address, 'ipv6')
      ? [second, third]
      : [];
  if (first === undefined || high === undefined || low === undefined) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  // A URL's host is the address in its canonical form: hexadecimal throughout.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const numbers = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [numbers(head), numbers(tail ?? '')];
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}
