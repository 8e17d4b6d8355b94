import { REFUSED_METRIC } from '../../../proxy/names.ts';

/** A line of Envoy's Prometheus page; with the page itself `envoy_` is in front, and with a sidecar's port it is not. */
const SERIES = new RegExp(`^(?:envoy_)?${REFUSED_METRIC}\\{(.*)\\} (\\d+)$`, 'gm');

/** What a sidecar counted as refused: `KIND NAMESPACE/NAME REASON of AMONG` → how often. @param page of Prometheus */
export function refusalCounts(page: string): Readonly<Record<string, number>> {
  const counts = [...page.matchAll(SERIES)].map(([, labels = '', value]): [string, number] => {
    const of = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]));
    return [`${of.kind} ${of.namespace}/${of.name} ${of.reason} of ${of.among}`, Number(value)];
  });
  return Object.fromEntries(counts);
}
