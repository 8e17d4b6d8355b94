/** So many connections wait no longer than a moment. */
const BUSY = 128;

/**
 * Why a replica is to be led no further connections to: many wait for their turn, and another replica that serves has fewer proxies. The one with the fewest
 * always goes on, so that they do not all send proxies away.
 * @param waiting connections that wait for their handshake
 * @param own proxies with a stream here
 * @param others of each other replica that serves; undefined while that is not known
 * @returns a sentence; undefined when there is no reason
 */
export function overload(waiting: number, own: number, others: readonly number[] | undefined): string | undefined {
  if (waiting < BUSY || others === undefined) return undefined;
  const fewest = Math.min(...others);
  if (fewest >= own) return undefined;
  return `${waiting} connections wait here, which has ${own} proxies, while another replica has ${fewest}`;
}
