import { canaryOf } from './canary-fixture.ts';
import { shopPodSpec, smallShop } from './sample-shop.ts';

/** What ordering takes itself: more than a busy machine adds to any answer, and well inside a bucket of the histograms: at its edge a little more is twice as much. */
export const DELAY_MS = 300;

/**
 * The sample shop, with something in it for each of the questions that newcomers have: Ordering is slow, and its next release is held half way; `reports` calls
 * a Service whose selector has a typo; `visitor` has no sidecar, and may not call. Its load is to be scaled up when all are there: so none of the rest fails.
 */
export function questionedShop(): (string | object)[] {
  const yaml = smallShop()
    .replace(/(name: DELAY_MS\s+value:) "0"/, `$1 "${DELAY_MS}"`)
    .replace(/(name: RATE\s+value:) "60"/, '$1 "20"')
    .split('\n---\n')
    .map((object) =>
      /kind: Deployment[\s\S]*?name: load\b/.test(object) ? object.replace('replicas: 1', 'replicas: 0') : object,
    );
  return [...yaml, ...OBJECTS];
}

const OBJECTS: readonly object[] = [
  service('stock', { app: 'inventroy' }),
  load('reports', 'http://stock', true),
  load('visitor', 'http://inventory', false),
  {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'known-callers' },
    spec: {
      selector: { matchLabels: { app: 'inventory' } },
      action: 'DENY',
      rules: [{ from: [{ source: { notPrincipals: ['*'] } }] }],
    },
  },
  canaryOf('ordering', { threshold: 3, stepWeights: [50], pauses: [{ afterStep: 1 }] }),
];

function service(name: string, selector: object): object {
  const ports = [{ name: 'http', port: 80, targetPort: 'http' }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector, ports } };
}

/** A load generator. @param next whom it calls */
function load(name: string, next: string, sidecar: boolean): object {
  const labels = { app: name, 'sidecar.istio.io/inject': String(sidecar) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec: shopPodSpec({ ROLE: 'load', NEXT: next, RATE: '5' }) },
    },
  };
}
