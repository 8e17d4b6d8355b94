import type { MeshDelta, MeshSnapshot } from '../mesh/snapshot.ts';

/** As if all of a snapshot were new. */
export function wholeDelta(snapshot: MeshSnapshot): MeshDelta {
  const { services, endpoints, workloads, routeRules, destinationPolicies, sidecars, policies } = snapshot;
  return {
    services: new Set(services.keys()),
    endpoints: new Set(endpoints.keys()),
    workloads: new Set(workloads.keys()),
    routeRules: new Set(routeRules.keys()),
    destinationPolicies: new Set(destinationPolicies.keys()),
    sidecars: new Set(sidecars.keys()),
    policies: new Set(policies.keys()),
    settings: true,
  };
}
