import { describe, expect, test } from '@jest/globals';
import { judgeDestinationRule } from './destination-rule.ts';

const policy = (trafficPolicy: object): object => ({ host: 'reviews', trafficPolicy });
const secured = (tls: object): object => policy({ tls });
const TP = 'spec.trafficPolicy';

describe('A policy of a DestinationRule', () => {
  test.each<[name: string, spec: unknown, field: string, message?: string]>([
    ['an empty pool', policy({ connectionPool: {} }), `${TP}.connectionPool`],
    [
      'a negative limit',
      policy({ connectionPool: { http: { http2MaxRequests: -1 } } }),
      `${TP}.connectionPool.http.http2MaxRequests`,
    ],
    [
      'both ways to choose HTTP/2',
      policy({ connectionPool: { http: { h2UpgradePolicy: 'UPGRADE', useClientProtocol: true } } }),
      `${TP}.connectionPool.http.useClientProtocol`,
    ],
    [
      'no time to connect',
      policy({ connectionPool: { tcp: { connectTimeout: '0s' } } }),
      `${TP}.connectionPool.tcp.connectTimeout`,
    ],
    [
      'ejection of 101 %',
      policy({ outlierDetection: { maxEjectionPercent: 101 } }),
      `${TP}.outlierDetection.maxEjectionPercent`,
    ],
    [
      'failures that are not split',
      policy({ outlierDetection: { consecutiveLocalOriginFailures: 1 } }),
      `${TP}.outlierDetection.consecutiveLocalOriginFailures`,
      'splitExternalLocalOriginErrors',
    ],
    [
      'MUTUAL without certificates',
      secured({ mode: 'MUTUAL', privateKey: '/k' }),
      `${TP}.tls.clientCertificate`,
      'credentialName',
    ],
    [
      'files and a Secret',
      secured({ mode: 'SIMPLE', credentialName: 'a', caCertificates: '/ca' }),
      `${TP}.tls.caCertificates`,
      'keep one',
    ],
    [
      'verification and none',
      secured({ mode: 'SIMPLE', insecureSkipVerify: true, subjectAltNames: ['a'] }),
      `${TP}.tls.subjectAltNames`,
      'insecureSkipVerify',
    ],
    [
      'a policy of no port',
      policy({ portLevelSettings: [{ tls: { mode: 'DISABLE' } }] }),
      `${TP}.portLevelSettings[0].port.number`,
    ],
    [
      'a policy of port 0',
      policy({ portLevelSettings: [{ port: { number: 0 }, tls: { mode: 'DISABLE' } }] }),
      `${TP}.portLevelSettings[0].port.number`,
      'from 1 to 65535',
    ],
    [
      'a tunnel of another kind',
      policy({ tunnel: { protocol: 'SSH', targetHost: 'a', targetPort: 1 } }),
      `${TP}.tunnel.protocol`,
    ],
    ['a budget of -1 %', policy({ retryBudget: { percent: -1 } }), `${TP}.retryBudget.percent`],
    [
      'a selector for everybody',
      { host: 'a', workloadSelector: { matchLabels: { a: 'b' } }, exportTo: ['*'] },
      'spec.exportTo',
      'workloadSelector',
    ],
  ])('with %s is refused at its field', (_, spec, field, message = 'must') => {
    expect(judgeDestinationRule(spec).errors).toContainEqual({ field, message: expect.stringContaining(message) });
  });
});
