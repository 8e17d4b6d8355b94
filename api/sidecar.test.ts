import { describe, expect, test } from '@jest/globals';
import { isProxyPort } from '../proxy/ports.ts';
import { sidecarSpec } from './sidecar.ts';
import { judgeSidecar, unsupportedSidecarFields } from './sidecar-judgement.ts';

type Fields = Record<string, unknown>;
const http = { number: 9080, protocol: 'HTTP', name: 'http' };
const hosts = ['./*', 'istio-system/*'];
const inward = (listener: Fields): Fields => ({ ingress: [{ port: http, ...listener }] });
const outward = (...egress: Fields[]): Fields => ({ egress });
const texts = (problems: readonly { field: string; message: string }[]): string =>
  problems.map(({ field, message }) => `${field}: ${message}`).join('\n');

describe('judgeSidecar', () => {
  test.each<[string, Fields]>([
    ['hosts of two namespaces', outward({ hosts })],
    ['no host at all', outward({ hosts: ['~/*'] })],
    ['hosts by name and wildcard', outward({ hosts: ['*/a.shop.svc.cluster.local', 'prod/*.example.com'] })],
    [
      'a listener of a port before the catch-all',
      outward({ port: http, bind: '127.0.0.1', captureMode: 'NONE', hosts }, { hosts }),
    ],
    ['a port of the application', inward({ defaultEndpoint: '127.0.0.1:8080', captureMode: 'IPTABLES' })],
    ["the pod's own address", inward({ defaultEndpoint: '0.0.0.0:8080', bind: '10.0.0.1' })],
    ['IPv6', inward({ defaultEndpoint: '[::1]:8080', bind: '::' })],
    ['a port without an endpoint', inward({})],
    [
      'the registry alone',
      { workloadSelector: { labels: { app: 'ui' } }, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } },
    ],
    [
      'limits',
      { inboundConnectionPool: { tcp: { maxConnections: 5, idleTimeout: '0s' }, http: { idleTimeout: '5m' } } },
    ],
  ])('takes %s without a word', (_, spec) => {
    expect(judgeSidecar(spec)).toMatchObject({ errors: [], warnings: [] });
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'spec: must have one of egress'],
    ['a list', [], 'spec: must be an object'],
    ['no hosts', outward({ hosts: [] }), 'spec.egress[0].hosts: must name at least one'],
    ['hosts left out', outward({}), 'spec.egress[0].hosts: must be an array, and is missing'],
    ['a host alone', outward({ hosts: ['a.b'] }), 'spec.egress[0].hosts[0]: must have the form NAMESPACE/NAME'],
    ['a strange namespace', outward({ hosts: ['a_b/*'] }), 'spec.egress[0].hosts[0]: must begin with a namespace'],
    ['a short name', outward({ hosts: ['./ui'] }), 'spec.egress[0].hosts[0]: must have the full name'],
    ['a host that is none', outward({ hosts: ['./a.*.b'] }), 'spec.egress[0].hosts[0]: must end in a DNS name'],
    ['two catch-alls', outward({ hosts }, { hosts }), 'spec.egress[0].port: must be set on all listeners but the last'],
    [
      'a port twice',
      outward({ port: http, hosts }, { port: http, hosts }),
      'spec.egress[1].port.number: must be unique',
    ],
    [
      'a strange protocol',
      outward({ port: { ...http, protocol: 'X' }, hosts }),
      'spec.egress[0].port.protocol: must be one',
    ],
    ['a bind that is none', outward({ port: http, bind: 'localhost', hosts }), 'spec.egress[0].bind: must be an IP'],
    ['no port and no socket', outward({ port: {}, hosts }), 'spec.egress[0].port.number: must be a port'],
    [
      'a redirected socket',
      outward({ port: {}, bind: 'unix:///a', captureMode: 'IPTABLES', hosts }),
      'spec.egress[0].captureMode',
    ],
    ['a strange capture mode', outward({ captureMode: 'X', hosts }), 'spec.egress[0].captureMode: must be one of'],
    ['a port twice', { ingress: [{ port: http }, { port: http }] }, 'spec.ingress[1].port.number: must be unique'],
    ['no port', { ingress: [{}] }, 'spec.ingress[0].port: must be an object, and is missing'],
    ['a port without a number', inward({ port: { protocol: 'HTTP' } }), 'spec.ingress[0].port.number: must be a port'],
    [
      'an endpoint elsewhere',
      inward({ defaultEndpoint: '10.0.0.1:80' }),
      'spec.ingress[0].defaultEndpoint: must be 127',
    ],
    [
      'an endpoint without a port',
      inward({ defaultEndpoint: '127.0.0.1' }),
      'spec.ingress[0].defaultEndpoint: must be',
    ],
    [
      'TLS on HTTP',
      inward({ tls: { mode: 'SIMPLE' } }),
      'spec.ingress[0].tls: must stand on a port with protocol HTTPS',
    ],
    ['negative limits', { inboundConnectionPool: { http: { maxRetries: -1 } } }, 'http.maxRetries: must be from 0'],
    [
      'a limit that is no duration',
      { inboundConnectionPool: { tcp: { connectTimeout: '5' } } },
      'spec.inboundConnectionPool.tcp.connectTimeout',
    ],
    ['empty limits', { inboundConnectionPool: {} }, 'spec.inboundConnectionPool: must have tcp or http'],
    [
      'a proxy of a registry',
      { outboundTrafficPolicy: { egressProxy: { host: 'a.b', port: { number: 1 } } } },
      'must not be set with mode',
    ],
    [
      'a proxy without a port',
      { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'a.b' } } },
      'egressProxy.port.number: must be set',
    ],
    ['an unknown policy', { outboundTrafficPolicy: { mode: 'X' } }, 'spec.outboundTrafficPolicy.mode: must be one of'],
    [
      'a wildcard label',
      { ...outward({ hosts }), workloadSelector: { labels: { a: 'b*' } } },
      'spec.workloadSelector.labels[a]',
    ],
  ])('refuses %s and names the field', (_, spec, expected) => {
    expect(texts(judgeSidecar(spec).errors)).toContain(expected);
  });

  test.each<[string, Fields, string]>([
    ['all hosts and some', outward({ hosts: ['*/*', './*'] }), 'spec.egress[0].hosts: has "*/*"'],
    ['a host twice', outward({ hosts: ['./*', './*'] }), 'spec.egress[0].hosts[1]: "./*" stands there already'],
    ['a host of nobody', outward({ hosts: ['~/a.b'] }), 'spec.egress[0].hosts[0]: "~/a.b" imports nothing'],
    ['an empty selector', { ...outward({ hosts }), workloadSelector: {} }, 'spec.workloadSelector: has no labels'],
    [
      'a socket',
      outward({ port: { number: 0, protocol: 'TCP' }, bind: 'unix:///run/a.sock', hosts }),
      'spec.egress[0].bind: is not in force',
    ],
    [
      'TLS of others',
      inward({ port: { number: 443, protocol: 'HTTPS' }, tls: { mode: 'SIMPLE', privateKey: 'k' } }),
      'spec.ingress[0].tls: is not in force',
    ],
    [
      'an egress proxy',
      { outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy: { host: 'a.b', port: { number: 80 } } } },
      'spec.outboundTrafficPolicy.egressProxy: is not in force',
    ],
    ['a target port', inward({ port: { ...http, targetPort: 1 } }), 'spec.ingress[0].port.targetPort: has no effect'],
  ])('takes %s and warns', (_, spec, expected) => {
    const { errors, warnings } = judgeSidecar(spec);
    expect([errors, texts(warnings)]).toEqual([[], expect.stringContaining(expected)]);
  });
});

test('what is not in force is named by its field', () => {
  const spec = {
    ingress: [{ port: http, tls: {}, defaultEndpoint: 'unix:///a' }],
    egress: [{ port: {}, bind: 'unix:///b', hosts }],
    outboundTrafficPolicy: { egressProxy: { host: 'a.b' } },
  };
  expect(unsupportedSidecarFields(sidecarSpec.parse(spec)).map(({ field }) => field)).toEqual([
    'spec.ingress[0].tls',
    'spec.ingress[0].defaultEndpoint',
    'spec.egress[0].bind',
    'spec.outboundTrafficPolicy.egressProxy',
  ]);
  expect(unsupportedSidecarFields({ egress: [{ hosts }], ingress: [{ port: http }] })).toEqual([]);
  for (let number = 14_990; number <= 15_100; number++) {
    const bound = { hosts, bind: '127.0.0.1', port: { ...http, number } };
    const own = isProxyPort(number) ? ['spec.egress[0].port.number'] : [];
    expect(unsupportedSidecarFields({ egress: [bound] }).map(({ field }) => field)).toEqual(own);
  }
});
