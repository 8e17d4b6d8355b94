import { REFUSED_METRIC } from '../../proxy/names.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';

/** What a policy refused, as one proxy counts it. */
export interface Refusal {
  readonly policy: ObjectRef;
  /** Another policy may have decided as well as this one. */
  readonly shared: boolean;
  /** The way in which it refused, see `xds/refusal-causes.ts`. */
  readonly reason: string;
  /** Of how many policies it is one where Envoy does not tell which. */
  readonly among: number;
}

/** A key of such a series begins so, which no encoded labels do. */
const KEY = 'refused ';

/** Whether a family of metrics counts what policies refuse. Names may carry a scope in front. */
export function isRefusalFamily(name: string): boolean {
  return name.endsWith(REFUSED_METRIC);
}

/** The key of a series of that family. @param labels encoded */
export function refusalKey(labels: string): string {
  return KEY + labels;
}

/** The encoded labels of such a key; undefined for any other. */
export function refusalLabels(key: string): string | undefined {
  return key.startsWith(KEY) ? key.slice(KEY.length) : undefined;
}

/** Reads a series' labels; undefined when they name no policy. */
export function readRefusal(labels: ReadonlyMap<string, string>): Refusal | undefined {
  const [kind, namespace, name] = ['kind', 'namespace', 'name'].map((label) => labels.get(label));
  if (kind === undefined || namespace === undefined || name === undefined) return undefined;
  const among = Number(labels.get('among'));
  return {
    policy: { kind, namespace, name },
    shared: among !== 1,
    reason: labels.get('reason') ?? '',
    among: Number.isSafeInteger(among) && among > 0 ? among : 1,
  };
}
