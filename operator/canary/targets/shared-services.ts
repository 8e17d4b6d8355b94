import type { Canary } from '../../../api/canary.ts';
import type { Service } from '../objects.ts';
import type { Check } from './target-fitness.ts';
import type { TargetIndex } from './target-index.ts';
import { readTargetKey } from './target-key.ts';

/** A Service that selects the pods of another target, too. */
export interface SharedService {
  readonly service: string;
  /** Kind and name of the other. */
  readonly other: string;
  /** The Canary of the other that is older than ours: it shares out the Service's requests, and ours does not. */
  readonly splitBy: string | undefined;
}

/** Finds what selects the pods of others beside those of a target. */
export function findSharedServices(
  canary: Canary,
  key: string,
  services: readonly Service[],
  index: TargetIndex,
): readonly SharedService[] {
  return services.flatMap((service) =>
    index
      .selectedBy(service)
      .filter((other) => other !== key)
      .map((other) => ({
        service: service.metadata?.name ?? '',
        other: title(other),
        splitBy: index.canariesOf(other).find((rival) => isOlder(rival, canary))?.metadata.name,
      })),
  );
}

/** Refuses a target none of whose Services is left to its Canary. */
export const refuseSharedServices: Check = (_target, { services, shared = [] }) => {
  const taken = shared.filter(({ splitBy }) => splitBy !== undefined);
  const left = services.filter((service) => !taken.some((one) => one.service === service));
  const [first] = taken;
  if (first === undefined || left.length > 0) return undefined;
  return {
    reason: 'ServiceConflict',
    message: `Service ${first.service} selects the pods of ${first.other} too, and Canary ${first.splitBy} shares out its requests; give each of the two a Service of its own`,
  };
};

/** What sharing a Service costs, in sentences. */
export function sharedServiceCosts(shared: readonly SharedService[] = []): string[] {
  return shared.map(({ service, other, splitBy }) =>
    splitBy === undefined
      ? `Service ${service} selects the pods of ${other} too: they count as stable, and weights are shares of all its requests`
      : `Service ${service} selects the pods of ${other} too, and Canary ${splitBy} shares out its requests, so that none of them are tried`,
  );
}

function title(key: string): string {
  const { kind, name } = readTargetKey(key);
  return `${kind} ${name}`;
}

/** In the order in which the mesh has them. */
function isOlder({ metadata: rival, status }: Canary, { metadata: own }: Canary): boolean {
  if ((status?.stableRevision ?? '') === '') return false;
  const [theirs, ours] = [rival, own].map(({ creationTimestamp = '', name }) => `${creationTimestamp} ${name}`);
  return (theirs ?? '') < (ours ?? '');
}
