import type { RootState } from './root-state.ts';

/** What one proxy has in force of trust and identity. */
export interface ProxyTrust {
  /** `namespace/name` of its pod. */
  readonly pod: string;
  /** Whether it has a stream at some replica. */
  readonly connected: boolean;
  /** Version of the trust bundle; undefined while it has none. */
  readonly bundle?: string | undefined;
  /** Which signer its certificate is of; undefined while it has none. */
  readonly generation?: string | undefined;
  /** Envoy's message where it refuses one of them. */
  readonly refusal?: string | undefined;
}

/** Tells of all proxies of the mesh, at whichever replica; `main.ts` joins it with what the streams know. */
export interface ProxyTrustSource {
  /** Proxies that have started. */
  proxies(): Iterable<ProxyTrust>;
  /** Whether every replica reports, so that one that nobody tells of has no stream. */
  whole(): boolean;
  /** Calls back when something of them may have changed; gives a function that ends that. */
  onChange(listener: () => void): () => void;
}

/** How far the proxies are with a phase. Pods are named `namespace/name`. */
export interface TrustSurvey {
  /** False while a replica does not report. */
  readonly whole: boolean;
  readonly total: number;
  readonly done: number;
  readonly waiting: readonly string[];
  readonly refused: readonly { readonly pod: string; readonly message: string }[];
  readonly missing: readonly string[];
  /** Until when at the latest one of the missing had a stream, and with it perhaps another certificate, in ms since 1970; 0 where none is missing. */
  readonly missingSince: number;
}

export const NO_PROXIES: ProxyTrustSource = { proxies: () => [], whole: () => true, onChange: () => () => {} };

/** What a proxy must have in force for a phase to be over. */
export interface Wanted {
  /** Version of the bundle. */
  readonly bundle: string;
  /** Of the signer. */
  readonly generation: string;
}

/**
 * Counts the proxies that are done with a phase. A proxy that has nothing in force yet is: what it is given first is what counts now.
 * @param wanted of the authority once it has taken the state over
 * @param whole see `TrustSurvey`
 * @param missingSince see `TrustSurvey`
 */
export function surveyTrust(
  phase: RootState['phase'],
  wanted: Wanted,
  proxies: Iterable<ProxyTrust>,
  whole: boolean,
  missingSince: number,
): TrustSurvey {
  const isOfBundle = phase === 'Distributing' || phase === 'Retiring';
  const waiting: string[] = [];
  const refused: { pod: string; message: string }[] = [];
  const missing: string[] = [];
  let done = 0;
  for (const { pod, connected, bundle, generation, refusal } of proxies) {
    const has = isOfBundle ? bundle : generation;
    const isDone = has === undefined || has === (isOfBundle ? wanted.bundle : wanted.generation);
    if (!connected) missing.push(pod);
    else if (isDone) done += 1;
    else if (refusal !== undefined) refused.push({ pod, message: refusal });
    else waiting.push(pod);
  }
  const total = done + waiting.length + refused.length + missing.length;
  return { whole, total, done, waiting, refused, missing, missingSince };
}
