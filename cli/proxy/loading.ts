import type { ProxyConfig } from './config-dump.ts';

const ON_DEMAND = 'envoy.filters.http.on_demand';

/** Whether a sidecar asks for configuration when its pod needs it: its outbound listeners of HTTP have Envoy's filter for that. */
export function loadsOnDemand({ listeners }: ProxyConfig): boolean {
  return listeners.some(({ resource: { filter_chains: chains = [], default_filter_chain: rest } }) =>
    [...chains, ...(rest === undefined ? [] : [rest])].some(({ filters = [] }) =>
      filters.some(({ typed_config: config }) => config?.http_filters?.some(({ name }) => name === ON_DEMAND) ?? false),
    ),
  );
}
