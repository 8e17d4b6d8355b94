import { z } from 'zod';
import type { Findings } from './field-check.ts';
import { NULLABLE } from './spec-reader.ts';

/** Istio's LocalityLoadBalancerSetting. */
export const localityLbSetting = z.object({
  enabled: z.boolean().optional().describe('Whether localities count; as the mesh says when left out.').meta(NULLABLE),
  distribute: z
    .array(
      z.object({
        from: z.string().optional().describe('Locality of the caller: region/zone/subzone, * at the end.'),
        to: z
          .record(z.string(), z.int())
          .optional()
          .describe('Percentages by locality of the endpoints; they sum to 100.'),
      }),
    )
    .optional()
    .describe('Shares of the traffic by locality.'),
  failover: z
    .array(
      z.object({
        from: z.string().optional().describe('Region of the caller.'),
        to: z.string().optional().describe('Region that takes over when its endpoints are unhealthy.'),
      }),
    )
    .optional()
    .describe('Which region takes over from which.'),
  failoverPriority: z
    .array(z.string())
    .optional()
    .describe(
      'Labels, as key or key=value; the more of the first ones an endpoint shares with the caller, the sooner it is used.',
    ),
});

export type LocalityLbSetting = z.infer<typeof localityLbSetting>;

const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.istio.io/subzone'];

/**
 * Reports localities and shares that can't be right.
 * @param detects whether the policy has an outlierDetection, without which nothing is ever found unhealthy
 */
export function checkLocality(found: Findings, field: string, setting: LocalityLbSetting, detects: boolean): void {
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  if (distribute.length > 0 && failover.length > 0)
    found.error(field, 'must have one of distribute and failover; keep one');
  if (distribute.length > 0 && failoverPriority.length > 0) {
    found.warn(`${field}.failoverPriority`, 'stands beside distribute; keep one of them');
  }
  if (failover.length > 0) {
    for (const [index, label] of failoverPriority.entries()) {
      if (TOPOLOGY_LABELS.includes(label))
        found.error(`${field}.failoverPriority[${index}]`, `must not be ${label} beside failover; keep one`);
    }
  }
  checkDistribute(found, field, distribute);
  for (const [index, region] of failover.entries()) checkFailover(found, `${field}.failover[${index}]`, region);
  if (failover.length + failoverPriority.length > 0 && !detects) {
    found.warn(field, 'has no effect without outlierDetection beside it, which finds out what is unhealthy');
  }
}

function checkDistribute(
  found: Findings,
  field: string,
  distribute: NonNullable<LocalityLbSetting['distribute']>,
): void {
  const origins = distribute.map(({ from = '' }, index): [string, string] => [
    `${field}.distribute[${index}].from`,
    from,
  ]);
  checkLocalities(found, origins);
  for (const [index, { to = {} }] of distribute.entries()) {
    const place = `${field}.distribute[${index}].to`;
    checkLocalities(
      found,
      Object.keys(to).map((name): [string, string] => [`${place}[${name}]`, name]),
    );
    let sum = 0;
    for (const [name, share] of Object.entries(to)) {
      if (share < 1 || share > 100) found.error(`${place}[${name}]`, `must be from 1 to 100, and is ${share}`);
      sum += share;
    }
    if (sum !== 100) found.error(place, `must sum to 100, and sums to ${sum}`);
  }
}

function checkFailover(
  found: Findings,
  field: string,
  { from = '', to = '' }: { from?: string | undefined; to?: string | undefined },
): void {
  for (const [name, region] of Object.entries({ from, to })) {
    if (region === '' || /[/*]/.test(region))
      found.error(`${field}.${name}`, `must be a region alone, without "/" and "*", and is "${region}"`);
  }
  if (from === to) found.error(field, 'must lead to another region');
}

/** Reports localities that are none, and those that others of the list overlap with. */
function checkLocalities(found: Findings, localities: readonly (readonly [field: string, locality: string])[]): void {
  const prefixes = new Set(localities.map(([, locality]) => locality.replace(/\/?\*$/, '')));
  const seen = new Set<string>();
  for (const [field, locality] of localities) {
    const parts = locality.split('/');
    const last = parts.at(-1) ?? '';
    if (
      parts.length > 3 ||
      parts.includes('') ||
      parts.slice(0, -1).some((part) => part.includes('*')) ||
      /\*./.test(last)
    ) {
      found.error(
        field,
        `must be region, region/zone or region/zone/subzone, with * at the end only, and is "${locality}"`,
      );
      continue;
    }
    const whole = locality.replace(/\/?\*$/, '');
    const wider = [1, 2]
      .map((count) => whole.split('/').slice(0, count).join('/'))
      .find((prefix) => prefix !== whole && prefixes.has(prefix));
    if (seen.has(whole) || wider !== undefined || (whole !== '' && prefixes.has(''))) {
      found.error(field, `must not overlap with another locality of the list, and "${locality}" does`);
    }
    seen.add(whole);
  }
}
