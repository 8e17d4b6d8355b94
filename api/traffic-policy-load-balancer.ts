import { z } from 'zod';
import { checkPercent, type Findings } from './field-check.ts';
import { isHeaderName } from './http-headers.ts';
import { checkDuration } from './istio-duration.ts';
import { NULLABLE } from './spec-reader.ts';
import { checkLocality, localityLbSetting } from './traffic-policy-locality.ts';

const ringSize = z.int().optional().describe('Least number of points on the ring.');

/** Istio's ConsistentHashLB. */
const consistentHash = z.object({
  httpHeaderName: z.string().optional().describe('Hash of a request header.'),
  httpCookie: z
    .object({
      name: z.string().describe('Name of the cookie.'),
      path: z.string().optional().describe('Path of the cookie.'),
      ttl: z
        .string()
        .optional()
        .describe('Lifetime of the cookie, which is then set where it is missing; 0s: of the session.'),
    })
    .optional()
    .describe('Hash of a cookie.'),
  useSourceIp: z.boolean().optional().describe("Hash of the caller's address."),
  httpQueryParameterName: z.string().optional().describe('Hash of a query parameter.'),
  ringHash: z
    .object({ minimumRingSize: ringSize })
    .optional()
    .describe('Consistent hashing by a ring; so when left out.'),
  maglev: z
    .object({ tableSize: z.int().optional().describe('Size of the table, a prime number.') })
    .optional()
    .describe('Consistent hashing by Maglev.'),
  minimumRingSize: z.int().optional().describe('Deprecated: ringHash.minimumRingSize.'),
});

/** Istio's LoadBalancerSettings. */
export const loadBalancer = z.object({
  simple: z
    .enum(['UNSPECIFIED', 'LEAST_CONN', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'])
    .optional()
    .describe('How an endpoint is chosen; LEAST_REQUEST when left out.'),
  consistentHash: consistentHash.optional().describe('Requests that are alike go to the same endpoint.'),
  localityLbSetting: localityLbSetting.optional().describe('What localities of endpoints count for.'),
  warmup: z
    .object({
      duration: z.string().describe('How long a new endpoint is given less than its share.'),
      minimumPercent: z
        .number()
        .optional()
        .describe('Percentage of its share that it begins with; 10 when left out.')
        .meta(NULLABLE),
      aggression: z.number().optional().describe('How the share grows: 1 steadily, more sooner.').meta(NULLABLE),
    })
    .optional()
    .describe('Slow start of new endpoints.'),
  warmupDurationSecs: z.string().optional().describe('Deprecated: warmup.duration.'),
});

export type ConsistentHash = z.infer<typeof consistentHash>;
export type LoadBalancer = z.infer<typeof loadBalancer>;

/** Envoy's bounds on the structures of consistent hashing. */
const MAX_RING_SIZE = 8_388_608;
const MAX_TABLE_SIZE = 5_000_011;

/** Reports a load balancer that can't be right. See {@link checkLocality} for `detects`. */
export function checkLoadBalancer(found: Findings, field: string, settings: LoadBalancer, detects: boolean): void {
  const { simple, consistentHash: hash, localityLbSetting: locality, warmup, warmupDurationSecs } = settings;
  if (simple !== undefined && hash !== undefined)
    found.error(field, 'must have one of simple and consistentHash; keep one');
  if (simple === 'LEAST_CONN') found.warn(`${field}.simple`, 'is deprecated; write LEAST_REQUEST');
  if (hash !== undefined) checkHash(found, `${field}.consistentHash`, hash);
  if (locality !== undefined) checkLocality(found, `${field}.localityLbSetting`, locality, detects);
  checkDuration(found, `${field}.warmupDurationSecs`, warmupDurationSecs);
  if (warmupDurationSecs !== undefined)
    found.warn(`${field}.warmupDurationSecs`, 'is deprecated; write warmup.duration');
  checkDuration(found, `${field}.warmup.duration`, warmup?.duration);
  checkPercent(found, `${field}.warmup.minimumPercent`, warmup?.minimumPercent);
  if (warmup?.aggression !== undefined && warmup.aggression < 1) {
    found.error(`${field}.warmup.aggression`, `must be at least 1, and is ${warmup.aggression}`);
  }
  const counts = hash === undefined && simple !== 'RANDOM' && simple !== 'PASSTHROUGH';
  if (!counts && (warmup !== undefined || warmupDurationSecs !== undefined)) {
    found.warn(
      `${field}.${warmup === undefined ? 'warmupDurationSecs' : 'warmup'}`,
      'has an effect with ROUND_ROBIN and LEAST_REQUEST only',
    );
  }
}

function checkHash(found: Findings, field: string, hash: ConsistentHash): void {
  const keys = (['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'] as const).filter(
    (name) => hash[name] !== undefined,
  );
  if (keys.length > 1) found.error(field, `must have one of ${keys.join(' and ')}; keep one`);
  if (keys.length === 0 || hash.useSourceIp === false) {
    found.warn(
      field,
      'has nothing to hash by, and so endpoints are chosen at random; write httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName',
    );
  }
  if (hash.httpHeaderName !== undefined && !isHeaderName(hash.httpHeaderName.replace(/^:(?=[a-z]+$)/, ''))) {
    found.error(`${field}.httpHeaderName`, `must name a header, and is "${hash.httpHeaderName}"`);
  }
  if (hash.httpQueryParameterName === '') found.error(`${field}.httpQueryParameterName`, 'must name a query parameter');
  if (hash.httpCookie !== undefined) {
    if (!isHeaderName(hash.httpCookie.name)) found.error(`${field}.httpCookie.name`, 'must be the name of a cookie');
    checkDuration(found, `${field}.httpCookie.ttl`, hash.httpCookie.ttl, true);
  }
  checkAlgorithm(found, field, hash);
}

function checkAlgorithm(found: Findings, field: string, { ringHash, maglev, minimumRingSize }: ConsistentHash): void {
  if (ringHash !== undefined && maglev !== undefined)
    found.error(field, 'must have one of ringHash and maglev; keep one');
  checkRing(found, `${field}.ringHash.minimumRingSize`, ringHash?.minimumRingSize);
  if (minimumRingSize !== undefined) {
    checkRing(found, `${field}.minimumRingSize`, minimumRingSize);
    found.warn(`${field}.minimumRingSize`, 'is deprecated; write ringHash.minimumRingSize');
    if (ringHash !== undefined || maglev !== undefined) {
      found.error(`${field}.minimumRingSize`, 'must not stand beside ringHash or maglev; leave it out');
    }
  }
  const size = maglev?.tableSize;
  if (maglev !== undefined && (size === undefined || size >= MAX_TABLE_SIZE || !isPrime(size))) {
    found.error(`${field}.maglev.tableSize`, `must be a prime number below ${MAX_TABLE_SIZE} such as 65537`);
  }
}

function checkRing(found: Findings, field: string, size: number | undefined): void {
  if (size !== undefined && (size < 0 || size > MAX_RING_SIZE)) {
    found.error(field, `must be from 0 to ${MAX_RING_SIZE}, and is ${size}`);
  }
}

/** Trial division: at most some 1,100 steps below the largest table. */
function isPrime(number: number): boolean {
  if (number < 4) return number > 1;
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
  return true;
}
