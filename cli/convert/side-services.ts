import { type CanarySide, SIDE_ANNOTATION } from '../../api/canary-side.ts';
import type { Manifest, Notes } from './notes.ts';

/** How Flagger names the Services that it makes of a Canary's. */
const SUFFIXES: Readonly<Record<CanarySide, string>> = { canary: 'canary', stable: 'primary' };
const ENDINGS: ReadonlyMap<string, CanarySide> = new Map([
  ['canary', 'canary'],
  ['primary', 'stable'],
]);
const NAMED = /-(canary|primary)\b/;
const PLACEHOLDER = /\{\{\s*(?:target|service)\s*\}\}/g;

/**
 * The sides of a Canary that a text calls: it has the name of a Service that Flagger makes where a host stands, in a URL or before a port or a namespace.
 * @param service name of the Canary's Service, which MetricTemplates may write as `{{ service }}` or `{{ target }}`
 */
export function calledSides(text: string, service: string): ReadonlySet<CanarySide> {
  const plain = text.replaceAll(PLACEHOLDER, service);
  const name = service.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const host = new RegExp(`(//)?(?<![\\w.-])${name}-(canary|primary)(?![\\w-])([.:]\\w)?`, 'g');
  const sides = new Set<CanarySide>();
  for (const [, slashes, ending = '', rest] of plain.matchAll(host)) {
    const side = ENDINGS.get(ending);
    if (side !== undefined && (slashes ?? rest) !== undefined) sides.add(side);
  }
  return sides;
}

/** Whether a text names what Flagger makes for some Canary, as a Service or a workload. */
export function namesSide(text: string): boolean {
  return NAMED.test(text);
}

/**
 * Services that are the addresses of a Canary's sides, as Flagger would have made them.
 * @param service the Canary's own, as it was converted
 */
export function sideServices(service: Manifest, sides: ReadonlySet<CanarySide>, notes: Notes): Manifest[] {
  return [...sides].sort().map((side) => {
    const name = `${service.metadata?.name}-${SUFFIXES[side]}`;
    const revision = side === 'canary' ? 'new' : 'stable';
    notes.add(
      'spec.service',
      `the Service ${name} is the address of the ${revision} revision for callers with a sidecar; ${side === 'canary' ? 'others reach the stable one until the promotion, so see that the load tester has a sidecar' : 'others reach the pods that are Ready'}`,
    );
    return { ...service, metadata: { ...service.metadata, name, annotations: { [SIDE_ANNOTATION]: side } } };
  });
}

/**
 * Says of a hook what still can't be: it names something of Flagger's that is no address of this Canary, or it is asked by the operator itself.
 * @param field path of the hook
 */
export function noteHook(hook: { url?: unknown }, field: string, service: string | undefined, notes: Notes): void {
  const text = JSON.stringify(hook);
  if (!namesSide(text)) return;
  const sides = service === undefined ? new Set<CanarySide>() : calledSides(text, service);
  if (sides.size === 0) {
    notes.add(field, 'it names something that ends in -canary or -primary, which Flagger makes and Heddle does not');
  }
  if (service !== undefined && calledSides(String(hook.url ?? ''), service).has('canary')) {
    notes.add(
      `${field}.url`,
      'the operator asks it without a sidecar, and so reaches the stable revision; let a program with a sidecar call it',
    );
  }
}
