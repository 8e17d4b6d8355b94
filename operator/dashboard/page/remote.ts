import { useEffect, useState } from 'preact/hooks';
import type { EventName } from '../../../api/view/control-plane-view.ts';
import type { GraphView } from '../../../api/view/graph-view.ts';

/** What is known of one answer. `data` stays when a later try fails: old figures with a word on it are better than none. */
export interface Answer<T> {
  readonly data?: T;
  /** A sentence; absent when the last try came to something. */
  readonly error?: string;
}

/** What the stream of events says. */
export interface Live extends Answer<GraphView> {
  /** `lost`: no graph for too long. */
  readonly state: 'connecting' | 'live' | 'lost';
  /** When the stream was opened or the last graph came, ms since the epoch. */
  readonly heardAt?: number;
}

/** The graph comes every five seconds; who is silent for three of these is gone. */
const SILENCE_MS = 16_000;
const RETRY_MS = 3000;

let live: Live = { state: 'connecting' };
const watchers = new Set<() => void>();
/** Asked anew when an event says that it has changed. */
const askers = new Set<{ readonly topic: string; readonly ask: () => void }>();

function tell(next: Live): void {
  live = next;
  for (const watcher of watchers) watcher();
}

/**
 * Gets JSON.
 * @throws {Error} with the operator's own sentence where it gives one
 */
async function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(url, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) }).catch(
    (error: unknown) => {
      throw signal?.aborted ? error : new Error('The operator does not answer.');
    },
  );
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as T;
  const said = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  throw new Error(typeof said === 'string' ? said : `The operator answered ${response.status}.`);
}

/** Begins to listen, for as long as the page is open. */
export function listen(): void {
  // That the stream is open is no graph: why there is none stays said.
  const heard = (data?: GraphView) =>
    tell({ ...(data === undefined ? live : { data }), state: 'live', heardAt: Date.now() });
  const failed = (error: unknown) => tell({ ...live, error: error instanceof Error ? error.message : String(error) });
  // The first event may be five seconds away.
  void getJson<GraphView>('api/graph').then(heard, failed);
  connect(heard);
  setInterval(() => {
    if (live.state !== 'lost' && Date.now() - (live.heardAt ?? opened) > SILENCE_MS) tell({ ...live, state: 'lost' });
  }, 1000);
}

const opened = Date.now();

function connect(heard: (data?: GraphView) => void): void {
  const source = new EventSource('api/events');
  const on = (name: EventName, then: (data: string) => void) =>
    source.addEventListener(name, (event) => then((event as MessageEvent<string>).data));
  source.onopen = () => {
    const wasLost = live.state === 'lost';
    heard();
    // Whatever changed in between, nobody has told.
    if (wasLost) for (const { ask } of askers) ask();
  };
  on('graph', (data) => heard(JSON.parse(data) as GraphView));
  on('changed', (topic) => {
    for (const asker of askers) if (asker.topic === topic.replaceAll('"', '')) asker.ask();
  });
  source.onerror = () => {
    tell({ ...live, state: live.state === 'live' ? 'lost' : live.state });
    // A browser tries again by itself, but for answers that are no stream.
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    setTimeout(() => connect(heard), RETRY_MS);
  };
}

/** The live graph, and whether it is. */
export function useLive(): Live {
  const [, again] = useState(0);
  const drawn = live;
  useEffect(() => {
    const watcher = () => again((n) => n + 1);
    watchers.add(watcher);
    // What came between the first drawing and this would else be missed.
    if (live !== drawn) watcher();
    return () => void watchers.delete(watcher);
  }, []);
  return live;
}

/**
 * An answer of the operator, asked when the view opens, when an event names `topic`, and every `everyMs`.
 * @param url undefined asks nothing
 */
export function useAnswer<T>(url: string | undefined, { topic = '', everyMs = 30_000 } = {}): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly url?: string }>({});
  useEffect(() => {
    if (url === undefined) return;
    const control = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const ask = (): Promise<void> =>
      getJson<T>(url, control.signal).then(
        (data) => setAnswer({ url, data }),
        (error: Error) => {
          if (control.signal.aborted) return;
          setAnswer((before) => ({ ...(before.url === url ? before : { url }), error: error.message }));
          clearTimeout(again);
          again = setTimeout(ask, RETRY_MS);
        },
      );
    void ask();
    const asker = { topic, ask: () => void ask() };
    askers.add(asker);
    const timer = setInterval(asker.ask, everyMs);
    return () => {
      control.abort();
      clearTimeout(again);
      clearInterval(timer);
      askers.delete(asker);
    };
  }, [url, topic, everyMs]);
  return answer.url === url ? answer : {};
}

/** The present, anew every so often: for what says how long ago something was. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
