import { type Message, messageLine } from '../analyze/message.ts';
import type { LiveFinding } from '../explain/report.ts';
import { paint } from '../terminal/colour.ts';
import type { AppliedPolicies } from './applied-policies.ts';
import type { DescribedPod } from './described-pod.ts';
import type { DescribedService } from './described-service.ts';

/** A description with what was found beside it. */
export interface Description<T> {
  readonly described: T;
  /** What is wrong with it and with what applies to it. */
  readonly messages: readonly Message[];
  readonly live: readonly LiveFinding[];
  readonly notes: readonly string[];
}

/** A pod in words. */
export function formatPod({ described, ...rest }: Description<DescribedPod>): string {
  const { name, workload, revision, serviceAccount, services, sidecar, withoutSidecar } = described;
  const head = [
    `${paint('bold', `pod ${name}`)}`,
    ...section('of', [
      `workload ${workload}${revision === '' ? '' : `, revision ${revision}`}, ServiceAccount ${serviceAccount}`,
    ]),
    ...section('services', services.length === 0 ? ['none selects it: nobody calls it by name'] : services),
  ];
  if (sidecar === undefined)
    return [...head, ...section('sidecar', [`none: ${withoutSidecar}`]), ...restOf(rest)].join('\n');
  const { image, started, identity, loading, ports, policies, egress, routes } = sidecar;
  return [
    ...head,
    ...section('sidecar', [
      `${image}, ${started ? 'up' : 'not up yet'}, configuration ${loading}`,
      `identity ${identity}`,
    ]),
    ...section(
      'ports',
      ports.length === 0
        ? ['none is declared: connections pass as bytes']
        : ports.map(
            ({ port, protocol, mode, service }) =>
              `${port}: ${protocol}, mutual TLS ${mode}${service === undefined ? '' : `, of ${service}`}`,
          ),
    ),
    ...policySections(policies),
    ...section('routes', routes),
    ...section('calls', [egress]),
    ...restOf(rest),
  ].join('\n');
}

/** A Service in words. */
export function formatService({ described, ...rest }: Description<DescribedService>): string {
  const { name, hostname, kind, ports, endpoints, visibleTo, policies, routes, destinationRules, canary } = described;
  const { ready, withoutSidecar, revisions } = endpoints;
  const sides = Object.entries(revisions).filter(([revision]) => revision !== '');
  return [
    `${paint('bold', `service ${name}`)} (${hostname}, ${kind})`,
    ...section(
      'ports',
      ports.map((one) => `${one.port} ${one.name} → ${one.targetPort}: ${one.protocol}`),
    ),
    ...section('endpoints', [
      `${ready} ready${withoutSidecar === 0 ? '' : `, ${withoutSidecar} without a sidecar`}${sides.length < 2 ? '' : `; by revision: ${sides.map(([revision, count]) => `${revision} ${count}`).join(', ')}`}`,
    ]),
    ...section('seen by', [visibleTo]),
    ...policies.flatMap((one) => [
      ...(policies.length > 1 ? section('pods', [one.pods.join(', ')]) : []),
      ...policySections(one),
    ]),
    ...section('routes', routes.length === 0 ? ['none: all requests go to all of its pods'] : routes),
    ...section('to it', destinationRules),
    ...section('canary', canary === undefined ? [] : [canary]),
    ...restOf(rest),
  ].join('\n');
}

function policySections({ mtls, authorization, tokens, rateLimits }: AppliedPolicies): string[] {
  const by = mtls.by.length === 0 ? 'by default, as no PeerAuthentication says otherwise' : `by ${mtls.by.join(', ')}`;
  const ports = Object.entries(mtls.ports).map(([port, mode]) => `port ${port}: ${mode}`);
  return [
    ...section('mTLS', [[mtls.mode, ...ports].join(', '), by]),
    ...section(
      'may call',
      authorization.length === 0 ? ['everybody: no AuthorizationPolicy is about it'] : authorization,
    ),
    ...section('tokens', tokens),
    ...section('limits', rateLimits),
  ];
}

function restOf({ messages, live, notes }: Omit<Description<unknown>, 'described'>): string[] {
  const isFine = messages.every(({ level }) => level === 'Info') && live.every(({ ok }) => ok);
  return [
    ...section(
      'in sync',
      live.map(({ ok, text }) => `${ok ? paint('green', '✓') : paint('yellow', '!')} ${text}`),
    ),
    ...section('wrong', messages.map(messageLine)),
    ...(isFine ? section('wrong', messages.length === 0 ? ['nothing that can be seen from here'] : []) : []),
    ...section('note', notes),
  ];
}

function section(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(11)}${line}`);
}
