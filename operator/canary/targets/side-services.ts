import { type CanarySide, readSide, SIDE_ANNOTATION, sideProblem } from '../../../api/canary-side.ts';
import type { Service } from '../objects.ts';
import type { Observation } from '../observation.ts';
import type { SharedService } from './shared-services.ts';

/** A Service that is the address of one side of the Canary. */
export interface SideService {
  readonly service: string;
  readonly side: CanarySide;
}

/** What the Services of a target are to its Canary. */
export interface ServiceRoles {
  /** Its requests are shared out. */
  readonly shared: readonly Service[];
  /** Its requests all go to one side. */
  readonly sides: readonly SideService[];
  /** What is wrong with annotations, in sentences; such a Service is shared out. */
  readonly problems: readonly string[];
}

/** Tells the addresses of a side from the Services whose requests are shared out. @param services that select the target's pods */
export function rolesOf(services: readonly Service[]): ServiceRoles {
  return {
    shared: services.filter((service) => readSide(service) === undefined),
    sides: services.flatMap((service) => {
      const side = readSide(service);
      return side === undefined ? [] : [{ service: service.metadata?.name ?? '', side }];
    }),
    problems: services.flatMap((service) => {
      const problem = sideProblem(service);
      return problem === undefined ? [] : [`Service ${service.metadata?.name}: ${problem}`];
    }),
  };
}

/** Names of the Services that lead to the new revision. */
export function addressesOf(sides: readonly SideService[] = [], shared: readonly SharedService[] = []): string[] {
  const taken = new Set(shared.flatMap(({ service, splitBy }) => (splitBy === undefined ? [] : [service])));
  return sides.flatMap(({ service, side }) => (side === 'canary' && !taken.has(service) ? [service] : []));
}

/** Says whom the addresses lead where: only a sidecar can tell a pod that is held from none. */
export function describeSides({ sides, shared }: Observation): string[] {
  const names = addressesOf(sides, shared);
  if (names.length === 0) return [];
  return [
    `Service ${names.join(', ')} leads callers with a sidecar to the new revision, and others to pods that are Ready: to the stable revision, until the promotion`,
  ];
}

/** What keeps annotations from being in force, in sentences. */
export function sideCosts({ sides = [], sideProblems = [], shared = [] }: Observation): string[] {
  const taken = sides.flatMap(({ service }) => {
    const other = shared.find((one) => one.service === service && one.splitBy !== undefined);
    if (other === undefined) return [];
    return [
      `Service ${service} selects the pods of ${other.other} too, and its annotation ${SIDE_ANNOTATION} is about Canary ${other.splitBy}`,
    ];
  });
  return [...sideProblems, ...taken];
}

/** Says which hooks can't reach what they name: the operator calls them, and it has no sidecar. */
export function hooksWithoutSidecar({ spec, sides, shared, namespace }: Observation): string | undefined {
  const addresses = new Set(addressesOf(sides, shared).map((service) => `${service}.${namespace}`));
  const hooks = spec?.analysis.webhooks ?? [];
  const said = hooks.flatMap(({ url }, index) => {
    const [name, space] = URL.parse(url)?.hostname.split('.') ?? [];
    const address = `${name}.${space}`;
    return addresses.has(address)
      ? [
          `spec.analysis.webhooks[${index}].url: the operator asks hooks without a sidecar, so ${address} is the stable revision to it; let a program with a sidecar call that`,
        ]
      : [];
  });
  return said.length === 0 ? undefined : said.join('; ');
}
