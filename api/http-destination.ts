import { z } from 'zod';
import { checkPercent, checkPort, type Findings, isDnsLabel, isHostOrWildcard } from './field-check.ts';
import { checkHeaders, headers } from './http-headers.ts';

/** Istio's Destination. */
export const destination = z.object({
  host: z.string().describe('Service: short name in the namespace of the rule, or full name.'),
  subset: z.string().optional().describe('Subset of it that a DestinationRule names.'),
  port: z
    .object({ number: z.int().optional().describe('Number of the port of the Service.') })
    .optional()
    .describe('Port of it; can be left out where it has only one.'),
});

/** Istio's Percent, a double in a message of its own. */
export const percent = z.object({
  value: z.number().optional().describe('Percentage, 0 to 100; 0.1 is one in a thousand.'),
});

/** Istio's RouteDestination, of TLS and TCP rules. */
export const routeDestination = z.object({
  destination: destination.describe('Where connections go.'),
  weight: z.int().optional().describe('Share of the connections, relative to the other destinations.'),
});

/** Istio's HTTPRouteDestination. */
export const httpRouteDestination = z.object({
  destination: destination.describe('Where requests go.'),
  weight: z.int().optional().describe('Share of the requests, relative to the other destinations.'),
  headers: headers.optional().describe('What is done to headers for this destination alone.'),
});

export type Destination = z.infer<typeof destination>;
export type RouteDestination = z.infer<typeof routeDestination>;
export type HttpRouteDestination = z.infer<typeof httpRouteDestination>;

/** Envoy adds the weights of a route up in 32 bits. */
const MAX_WEIGHTS = 4_294_967_295;

/** Reports a destination that can't exist. */
export function checkDestination(found: Findings, field: string, { host, subset, port }: Destination): void {
  if (host === '*' || !isHostOrWildcard(host)) {
    found.error(
      `${field}.host`,
      `must be the name of a Service such as "reviews" or "reviews.prod.svc.cluster.local", and is "${host}"`,
    );
  }
  if (subset !== undefined && subset !== '' && !isDnsLabel(subset)) {
    found.error(`${field}.subset`, `must be a DNS label such as "v1", and is "${subset}"`);
  }
  if (port === undefined) return;
  if (port.number === undefined)
    found.error(`${field}.port.number`, 'must be the number of a port; write it or leave out port');
  checkPort(found, `${field}.port.number`, port.number);
}

/**
 * Reports destinations and weights that can't be right. Weights are relative, as in Istio: they need not sum to 100.
 * @param field path of the list, as in `spec.http[0].route`
 */
export function checkRouteDestinations(found: Findings, field: string, route: readonly HttpRouteDestination[]): void {
  let sum = 0;
  for (const [index, { destination: target, weight = 0, headers: change }] of route.entries()) {
    checkDestination(found, `${field}[${index}].destination`, target);
    if (change !== undefined) checkHeaders(found, `${field}[${index}].headers`, change);
    if (weight < 0) found.error(`${field}[${index}].weight`, `must not be negative, and is ${weight}; write 0 or more`);
    sum += Math.max(weight, 0);
  }
  if (route.length < 2) return;
  if (sum === 0) found.error(field, 'must have a weight above 0 in one of the destinations');
  else if (sum > MAX_WEIGHTS)
    found.error(field, `must have weights that sum to at most ${MAX_WEIGHTS}, and they sum to ${sum}`);
  else if (sum !== 100) found.warn(field, `has weights that sum to ${sum}, not 100; they count relative to each other`);
  for (const [index, { weight }] of route.entries()) {
    if (weight === undefined && sum > 0)
      found.warn(`${field}[${index}].weight`, 'is left out, which gives the destination nothing; write a weight');
  }
}

/** Reports a Percent out of range. Below 0.0001 Envoy can't count. */
export function checkFraction(found: Findings, field: string, fraction: z.infer<typeof percent> | undefined): void {
  checkPercent(found, `${field}.value`, fraction?.value);
  const value = fraction?.value ?? 0;
  if (value > 0 && value < 0.0001) found.error(`${field}.value`, `must be 0 or at least 0.0001, and is ${value}`);
}
