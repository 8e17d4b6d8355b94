import type { Golden, GraphEdge, GraphNode, GraphView, Saturation } from '../../../api/view/graph-view.ts';

/** How wrong calls are: `bad` from one in a hundred that fails, `some` below that, `good` for none, `quiet` without calls. */
export type Severity = 'bad' | 'some' | 'good' | 'quiet';

/** From this share of failures on calls stand out. */
const BAD_SHARE = 0.01;
/** From this share on something is nearly full. */
export const NEARLY_FULL = 0.8;

/** Failures of all requests, 0 to 1; undefined without requests. */
export function failedShare(golden: Golden | undefined): number | undefined {
  return golden === undefined || golden.requests <= 0 ? undefined : golden.failures / golden.requests;
}

/** How wrong these calls are. */
export function severity(golden: Golden | undefined): Severity {
  const share = failedShare(golden);
  if (share === undefined) return 'quiet';
  if (share >= BAD_SHARE) return 'bad';
  return share > 0 ? 'some' : 'good';
}

const WORST_FIRST: readonly Severity[] = ['bad', 'some', 'good'];

/** How wrong the worst of several is. */
export function worstOf(goldens: readonly Golden[]): Severity {
  const kinds = new Set(goldens.map(severity));
  return WORST_FIRST.find((kind) => kinds.has(kind)) ?? 'quiet';
}

/** The sum of several. Percentiles can't be added: what is given is the slowest of each. */
export function sumOf(goldens: readonly Golden[]): Golden {
  const total = (of: (golden: Golden) => number | undefined) => goldens.reduce((sum, each) => sum + (of(each) ?? 0), 0);
  const slowest = (of: (golden: Golden) => number | undefined) => {
    const known = goldens.map(of).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const [p50Ms, p90Ms, p99Ms] = [slowest((g) => g.p50Ms), slowest((g) => g.p90Ms), slowest((g) => g.p99Ms)];
  return {
    requests: total((golden) => golden.requests),
    perSecond: total((golden) => golden.perSecond),
    failures: total((golden) => golden.failures),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p90Ms === undefined ? {} : { p90Ms }),
    ...(p99Ms === undefined ? {} : { p99Ms }),
  };
}

/** What of a workload is fullest, 0 to 1 and more; undefined when nothing of it is known. */
export function fullest(
  saturation: Saturation | undefined,
): { readonly of: string; readonly share: number } | undefined {
  const { cpuShare, memoryShare, poolShare, ownPool } = saturation ?? {};
  const shares = [
    { of: 'CPU', share: cpuShare },
    { of: 'memory', share: memoryShare },
    { of: 'pool', share: poolShare },
    { of: 'inbound pool', share: ownPool?.share },
  ].flatMap(({ of, share }) => (share === undefined ? [] : [{ of, share }]));
  return shares.sort((a, b) => b.share - a.share)[0];
}

/** Calls that stand out, the worst share first. */
export function failingEdges(view: GraphView): GraphEdge[] {
  return view.edges
    .filter(({ golden }) => severity(golden) === 'bad')
    .sort((a, b) => (failedShare(b.golden) ?? 0) - (failedShare(a.golden) ?? 0));
}

/** A node as people call it: `ordering`, `api.example.com`, `unknown caller`. */
export function nameOf(id: string, node: GraphNode | undefined): string {
  if (node?.kind === 'unknown' || id === 'unknown') return 'unknown caller';
  return node?.name ?? id.replace(/^host:/, '').replace(/^[^/]*\//, '');
}

/** What a network makes of a code and Envoy's flags, in words. */
const FLAGS: Readonly<Record<string, string>> = {
  UH: 'no healthy endpoint was left',
  UF: 'no connection to the server could be made',
  UO: 'the pool or queue was full (overflow)',
  NR: 'no route matched',
  URX: 'all tries failed',
  NC: 'its cluster does not exist',
  DT: 'a request or connection lasted too long',
  DC: 'the caller hung up',
  LH: 'the health check of the server failed',
  UT: 'the server did not answer in time',
  LR: 'the connection was reset here',
  UR: 'the server reset the connection',
  UC: 'the server closed the connection in the middle',
  DI: 'delayed by fault injection',
  FI: 'made to fail by fault injection',
  RL: 'over a rate limit',
  UAEX: 'refused by an authorization policy or its provider',
  RLSE: 'the rate limit service failed',
  IH: 'a header was not valid',
  SI: 'the stream was idle too long',
  DPE: 'the caller broke the protocol',
  UPE: 'the server broke the protocol',
  UMSDR: 'it lasted longer than a stream may',
  OM: 'the sidecar is overloaded',
  DF: 'the name could not be resolved',
};

/** Envoy's response flags in words; undefined for none, or for one that is not known here. */
export function flagsInWords(flags: string): string | undefined {
  const words = flags.split(',').map((flag) => FLAGS[flag.trim()]);
  const known = words.filter((word) => word !== undefined);
  return known.length === 0 ? undefined : known.join('; ');
}
