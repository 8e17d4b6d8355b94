import { readServiceName } from '../../api/extension-provider.ts';
import { TELEMETRY_KIND } from '../../api/telemetry.ts';
import { isBlanket, noteMissingTargets } from './attachment.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { namespacedName, objectKey } from './object-ref.ts';
import { isJudged, lostTo } from './policy-view.ts';
import type { PolicyView, Problem } from './snapshot.ts';
import { blanketTelemetry, decideTelemetry, widerTelemetries } from './telemetry-choice.ts';
import { isMisplaced, markTelemetry, type TelemetryFacts } from './telemetry-facts.ts';
import { noteWholePages } from './telemetry-metrics-notes.ts';
import { noteTelemetry } from './telemetry-notes.ts';
import { addressOf } from './telemetry-providers.ts';

/** Whom somebody tells may be there now or be gone: who tells him is all those whom nobody asked, so all are looked at. */
export function markTold({ settings, tables }: DraftContext, dirty: DirtySet): void {
  const hosts = (settings.extensionProviders ?? []).flatMap((provider) => {
    const address = addressOf(provider);
    return address === undefined ? [] : [readServiceName(address.service).hostname];
  });
  if (!hosts.some((host) => dirty.hostnames.has(host))) return;
  for (const facts of tables.telemetries.values()) markTelemetry({ settings, tables, dirty }, facts);
  const { tracing = [], accessLogging = [] } = settings.defaultProviders ?? {};
  if (tracing.length + accessLogging.length === 0) return;
  for (const { uid, injected } of tables.pods.values()) if (injected) dirty.pods.add(uid);
}

/** Drafts the views of Telemetry resources. What they come to is part of the workloads, which are drafted before. */
export function draftTelemetries(context: DraftContext, dirty: DirtySet, { policies }: Drafts): void {
  const { tables, telemetryTally } = context;
  for (const uid of dirty.pods) {
    const pod = tables.podOf(uid);
    const decision = pod?.injected === true ? decideTelemetry(tables, pod) : undefined;
    for (const key of telemetryTally.replace(uid, decision)) dirty.telemetries.add(namespacedName(key));
  }
  for (const key of dirty.telemetries) {
    const facts = tables.telemetries.get(key);
    policies.put(`${TELEMETRY_KIND}/${key}`, facts && buildView(context, facts));
  }
}

/** @returns undefined when it is in a namespace that is not ours to judge */
function buildView(context: DraftContext, facts: TelemetryFacts): PolicyView | undefined {
  const { settings, tables, telemetryTally } = context;
  const { ref: object, generation, spec } = facts;
  if (!isJudged(context, object.namespace)) return undefined;
  const key = objectKey(object);
  const wider = widerTelemetries(tables, facts).map((one) => one.spec);
  const field = facts.targets.length > 0 ? 'spec.targetRefs' : 'spec.selector';
  const losses = telemetryTally.losses(key).map(({ winner, workloads }) => lostTo(object, field, winner, workloads));
  return {
    object,
    generation,
    reach: { kind: 'workloads', workloads: telemetryTally.consulted(key) },
    selected: telemetryTally.selected(key),
    problems: [
      ...facts.problems,
      ...(isMisplaced(facts) ? [selectorInRoot(context, facts, field)] : []),
      ...(spec === undefined ? [] : blanketConflict(context, facts)),
      ...losses,
    ],
    notes: [
      ...noteMissingTargets(tables, facts),
      ...(spec === undefined ? [] : noteTelemetry(settings, tables, [...wider, spec])),
      ...noteWholePages(tables, telemetryTally, facts),
    ],
  };
}

function selectorInRoot({ settings }: DraftContext, { ref }: TelemetryFacts, field: string): Problem {
  const message =
    `${field}: in the root namespace ${settings.rootNamespace} a Telemetry is for the whole mesh, and one that selects pods applies to nothing. ` +
    `Remove it, or move the Telemetry to the namespace of the pods.`;
  return { object: ref, condition: 'Accepted', reason: 'SelectorInRootNamespace', message };
}

function blanketConflict({ settings, tables }: DraftContext, facts: TelemetryFacts): Problem[] {
  if (!isBlanket(facts)) return [];
  const winner = blanketTelemetry(tables, facts.scope);
  if (winner === undefined || winner.key === facts.key) return [];
  const scope = facts.ref.namespace === settings.rootNamespace ? 'mesh' : 'namespace';
  const message =
    `Telemetry ${winner.key} is older and speaks for the whole ${scope}; this one is ignored. ` +
    'Delete one of the two, or give this one a selector.';
  return [{ object: facts.ref, condition: 'Conflicted', reason: 'OlderPolicy', message }];
}
