import { type Canary, type CanarySpec, canarySpec } from '../../api/canary.ts';
import { undiscoveredMessage } from '../../api/discovery.ts';
import { readTrafficTerms, termsKey } from '../../api/traffic-terms.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { commandOf } from './command-annotation.ts';
import { viewDependencies } from './dependencies.ts';
import type { Observation } from './observation.ts';
import { isNodeReady } from './pods.ts';
import type { CanaryDependencies } from './ports.ts';
import { targetKind } from './targets/registry.ts';
import { findSharedServices } from './targets/shared-services.ts';
import { addressesOf, rolesOf } from './targets/side-services.ts';
import type { TargetIndex } from './targets/target-index.ts';
import { readTargetKey, targetOfCanary } from './targets/target-key.ts';
import type { UsageWatch } from './usage-watch.ts';

/** What a spec comes to. */
interface SpecReading {
  readonly spec: CanarySpec | undefined;
  readonly problems: readonly string[];
  /** Of its terms (`termsKey`); '' where they are not valid. */
  readonly terms: string;
}

/** By the spec as it came: while nobody writes the Canary, each look at it has the same. */
const readings = new WeakMap<object, SpecReading>();

/** Reads a Canary's spec with its defaults; gives the problems, each after the path of its field, when it is not valid. */
export function readSpec({ spec }: Canary): SpecReading {
  const known = readings.get(spec ?? {});
  if (known) return known;
  const { data, error } = canarySpec.safeParse(spec);
  const problems = error?.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`) ?? [];
  const terms = readTrafficTerms(spec?.analysis);
  const reading = { spec: data, problems, terms: terms ? termsKey(terms) : '' };
  if (spec) readings.set(spec, reading);
  return reading;
}

/**
 * Gathers all that the phase machine looks at.
 * @param key of the target, `namespace/Kind/name`
 * @param rival name of the Canary that has the target already
 */
export function observe(
  canary: Canary,
  key: string,
  rival: string | undefined,
  index: TargetIndex,
  deps: Pick<CanaryDependencies, 'mesh' | 'traffic' | 'hooks' | 'templates' | 'clusterDomain' | 'isDiscovered' | 'now'>,
  usage: UsageWatch,
): Observation {
  const now = (deps.now ?? Date.now)();
  const { namespace, name, generation = 0 } = canary.metadata;
  const { kind, name: targetName } = readTargetKey(key);
  const target = index.target(key);
  const selecting = target ? index.servicesOf(target) : [];
  const roles = rolesOf(selecting);
  const services = roles.shared.map(({ metadata }) => metadata?.name ?? '');
  const hostname = (service: string) => `${service}.${namespace}.svc.${deps.clusterDomain}`;
  const hostnames = services.map(hostname);
  // Whatever way a request came, it is evidence for the revision that answered.
  const counted = [...hostnames, ...roles.sides.map(({ service }) => hostname(service))];
  const shared = findSharedServices(canary, key, selecting, index);
  const addresses = addressesOf(roles.sides, shared).map(hostname);
  const stable = canary.status?.stableRevision ?? '';
  const { spec, problems, terms } = readSpec(canary);
  const query = { namespace, canary: name, services: hostnames, stable, terms };
  const carriesHttp = deps.mesh.carriesHttp?.(hostnames);
  return {
    now,
    generation,
    spec,
    problems,
    targetTitle: `${kind} ${targetName}`,
    undiscovered: deps.isDiscovered(namespace) ? undefined : undiscoveredMessage(namespace),
    rival,
    target: target && targetKind(kind).view(target, key, index),
    namespace,
    services,
    sides: roles.sides,
    sideProblems: roles.problems,
    ...(carriesHttp === undefined ? {} : { carriesHttp }),
    shared,
    autoscaler: index.autoscalerOf(key),
    coverage: (next, { weight, matched, mirror }) =>
      deps.mesh.coverage({ ...query, next, side: { weight, matched, mirror } }),
    ...(addresses.length === 0
      ? {}
      : { addressed: (next) => deps.mesh.addressed({ namespace, canary: name, services: addresses, stable, next }) }),
    command: commandOf(canary),
    answer: (call) => deps.hooks.answer(canary.metadata.uid ?? '', call),
    dependencies: () =>
      viewDependencies(canary, {
        find: (found) => index.stores.canaries.get(found),
        current: (other) => currentRevision(other, index),
      }),
    traffic: (revision, since): TrafficAnswer =>
      deps.traffic.window({ namespace, services: counted, revision, since, until: now }),
    measured: (metric, since) => deps.templates.answer(canary.metadata.uid ?? '', metric, since),
    usage: (metric, revision, since) =>
      usage.answer({
        uid: canary.metadata.uid ?? '',
        namespace,
        metric,
        revision,
        stableRevision: stable,
        since,
        now,
        pods: index.podsOfTarget(key),
        isNodeAlive: (node) => isNodeReady(index.stores.nodes.get(node)),
      }),
  };
}

/** Revision of the present template of a Canary's target. */
function currentRevision(canary: Canary, index: TargetIndex): string | undefined {
  const key = targetOfCanary(canary);
  const target = index.target(key);
  return target && targetKind(readTargetKey(key).kind).view(target, key, index).current;
}
