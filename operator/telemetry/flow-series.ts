/** What of calls is counted besides requests and their durations: connections of TCP, and bytes. */
export type Flow = 'opened' | 'closed' | 'sent' | 'received';

/** Families of counters. Istio's words for bytes are the server's: it receives requests, and sends answers. */
const COUNTERS: Readonly<Record<string, Flow>> = {
  istio_tcp_connections_opened_total: 'opened',
  istio_tcp_connections_closed_total: 'closed',
  istio_tcp_received_bytes_total: 'sent',
  istio_tcp_sent_bytes_total: 'received',
};

/** Families of histograms of the last interval, of which the sum is read. */
const SIZES: Readonly<Record<string, Flow>> = { istio_request_bytes: 'sent', istio_response_bytes: 'received' };

const KEY = /^flow (opened|closed|sent|received) (tcp|http) /;

/** The flow that a family of cumulative counters is of; undefined for all others. Names may carry a scope in front. */
export function counterFlow(family: string): Flow | undefined {
  return find(COUNTERS, family);
}

/** The flow that a family of histograms is of. */
export function sizeFlow(family: string): Flow | undefined {
  return find(SIZES, family);
}

/** The key of a series of such a family. @param labels encoded */
export function flowKey(flow: Flow, transport: 'http' | 'tcp', labels: string): string {
  return `flow ${flow} ${transport} ${labels}`;
}

/** Whether a key is of such a family. */
export function isFlowKey(key: string): boolean {
  return key.startsWith('flow ');
}

/** Reads such a key; undefined for any other, for no encoded labels begin like it. */
export function readFlowKey(key: string): { flow: Flow; transport: 'http' | 'tcp'; labels: string } | undefined {
  const [whole, flow, transport] = KEY.exec(key) ?? [];
  if (whole === undefined) return undefined;
  return { flow: flow as Flow, transport: transport as 'http' | 'tcp', labels: key.slice(whole.length) };
}

function find(families: Readonly<Record<string, Flow>>, family: string): Flow | undefined {
  return families[family.slice(Math.max(0, family.lastIndexOf('istio_')))];
}
