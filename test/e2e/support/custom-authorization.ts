/** `extensionProviders` of the mesh's settings. */
export type ProviderSettings = readonly object[];

/**
 * Providers of a namespace with a testbed server `judge` and a Service `down` that has no pods: `opa` by gRPC and `login` by HTTP, and those that are
 * down: `down-closed`, `down-status` (503) and `down-open`.
 */
export function providers(namespace: string): ProviderSettings {
  const at = (service: string, port: number, more: object = {}) => ({
    service: `${service}.${namespace}.svc.cluster.local`,
    port,
    timeout: '5s',
    ...more,
  });
  const login = {
    pathPrefix: '/authorize',
    includeRequestHeadersInCheck: ['x-verdict'],
    headersToUpstreamOnAllow: ['x-user'],
    headersToDownstreamOnDeny: ['x-why'],
    headersToDownstreamOnAllow: ['x-checked'],
  };
  return [
    { name: 'opa', envoyExtAuthzGrpc: at('judge', 81) },
    { name: 'login', envoyExtAuthzHttp: at('judge', 80, login) },
    { name: 'down-closed', envoyExtAuthzGrpc: at('down', 81) },
    { name: 'down-status', envoyExtAuthzHttp: at('down', 80, { statusOnError: '503' }) },
    { name: 'down-open', envoyExtAuthzGrpc: at('down', 81, { failOpen: true }) },
  ];
}

/** An AuthorizationPolicy that asks a provider about what an operation says of requests to an app. */
export function customPolicy(name: string, app: string, provider: string, operation: object): object {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app } },
      action: 'CUSTOM',
      provider: { name: provider },
      rules: [Object.keys(operation).length === 0 ? {} : { to: [{ operation }] }],
    },
  };
}
