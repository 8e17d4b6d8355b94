import { type AdmissionCluster, createHandlers } from '../admission.ts';
import { DEFAULT_SETTINGS } from '../inject/settings.ts';
import type { WebhookMetrics } from '../metrics.ts';

/**
 * Handlers in a cluster where every namespace is injected.
 * @param isGated whether every revision is held back by a Canary
 * @param more what is another way there
 */
export function testHandlers(
  metrics: WebhookMetrics,
  isGated = false,
  more: Partial<AdmissionCluster> = {},
): ReturnType<typeof createHandlers> {
  return createHandlers(
    {
      settings: () => DEFAULT_SETTINGS,
      namespace: async (name) => ({ name, labels: { 'heddle.dev/injection': 'enabled' }, istioInstalled: false }),
      isDiscovered: () => true,
      isOurs: () => true,
      isGated: () => isGated,
      judgeTarget: async () => [],
      findCanary: () => undefined,
      ...more,
    },
    metrics,
  );
}
