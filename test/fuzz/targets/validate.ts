import type { Target } from '../target.ts';
import { answerReview } from './inject.ts';
import { deepReview, filledReview, longReview, policyReviews, reviewOf } from './reviews.ts';

/** By kind, where lists and maps may be. */
const PLACES: readonly (readonly [apiVersion: string, kind: string, specs: readonly object[]])[] = [
  [
    'networking.istio.io/v1',
    'VirtualService',
    [
      { hosts: '@' },
      { hosts: ['a'], http: '@' },
      { hosts: ['a'], tcp: '@' },
      { hosts: ['a'], http: [{ match: '@' }] },
      { hosts: ['a'], http: [{ match: [{ headers: '@' }], route: '@' }] },
    ],
  ],
  [
    'networking.istio.io/v1',
    'DestinationRule',
    [
      { host: 'a', subsets: '@' },
      { host: 'a', trafficPolicy: { portLevelSettings: '@' } },
    ],
  ],
  [
    'networking.istio.io/v1',
    'ServiceEntry',
    [{ hosts: '@' }, { hosts: ['a'], ports: '@' }, { hosts: ['a'], endpoints: '@' }],
  ],
  ['networking.istio.io/v1', 'Sidecar', [{ egress: '@' }, { egress: [{ hosts: '@' }] }, { ingress: '@' }]],
  [
    'networking.istio.io/v1',
    'WorkloadEntry',
    [
      { address: '1.2.3.4', labels: '@' },
      { address: '1.2.3.4', ports: '@' },
    ],
  ],
  [
    'security.istio.io/v1',
    'AuthorizationPolicy',
    [
      { rules: '@' },
      { rules: [{ from: '@' }] },
      { rules: [{ to: [{ operation: { paths: '@' } }] }] },
      { rules: [{ when: '@' }] },
    ],
  ],
  [
    'security.istio.io/v1',
    'RequestAuthentication',
    [{ jwtRules: '@' }, { jwtRules: [{ issuer: 'a', audiences: '@' }] }],
  ],
  ['security.istio.io/v1', 'PeerAuthentication', [{ portLevelMtls: '@' }, { selector: { matchLabels: '@' } }]],
  [
    'heddle.dev/v1alpha1',
    'RateLimitPolicy',
    [{ limits: '@' }, { limits: [{ requests: 1, unit: 'Second', match: '@' }] }],
  ],
  [
    'telemetry.istio.io/v1',
    'Telemetry',
    [{ tracing: '@' }, { tracing: [{ customTags: '@' }] }, { metrics: [{ overrides: '@' }] }, { accessLogging: '@' }],
  ],
  ['heddle.dev/v1alpha1', 'Canary', [{ analysis: { metrics: '@' } }, { analysis: { stepWeights: '@' } }]],
];
/** Texts that are looked through for what they hold. */
const TEXTS: readonly (readonly [apiVersion: string, kind: string, spec: object])[] = [
  ['networking.istio.io/v1', 'VirtualService', { hosts: ['a'], http: [{ headers: { request: { set: { a: '@' } } } }] }],
  ['networking.istio.io/v1', 'VirtualService', { hosts: ['a'], http: [{ match: [{ uri: { regex: '@' } }] }] }],
  ['security.istio.io/v1', 'AuthorizationPolicy', { rules: [{ to: [{ operation: { paths: ['@'] } }] }] }],
  ['security.istio.io/v1', 'AuthorizationPolicy', { rules: [{ when: [{ key: '@', values: ['a'] }] }] }],
  ['telemetry.istio.io/v1', 'Telemetry', { accessLogging: [{ filter: { expression: '@' } }] }],
  ['telemetry.istio.io/v1', 'Telemetry', { tracing: [{ customTags: { a: { formatter: { value: '@' } } } }] }],
];
const PIECES = ['a', 'a.', '-', '%', '%A(', '%A(:9', '[a', '{*}/', '\\p{', '('];
const ITEMS = ['0', '{}', '"a"', '"#":0', '"#":{}', '"#":"a"'];

/** Policies that are made. */
export const target: Target = {
  name: 'validate',
  about: 'reviews of policies, of anybody',
  form: 'json',
  seeds: policyReviews(),
  *largest() {
    for (const [apiVersion, kind, specs] of PLACES) {
      for (const spec of specs) {
        const review = JSON.parse(reviewOf({ apiVersion, kind, metadata: { name: 'a' }, spec }).toString());
        for (const item of ITEMS) yield filledReview(review, item);
        yield deepReview(review);
      }
    }
    for (const [apiVersion, kind, spec] of TEXTS) {
      const review = JSON.parse(reviewOf({ apiVersion, kind, metadata: { name: 'a' }, spec }).toString());
      for (const piece of PIECES) yield longReview(review, piece);
    }
  },
  run: async (bytes) => {
    await answerReview('/validate', bytes);
  },
};
