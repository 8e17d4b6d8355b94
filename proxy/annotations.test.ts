import { describe, expect, test } from '@jest/globals';
import { ANNOTATION_NAMES, readAnnotations } from './annotations.ts';
import { PROXY_DEFAULTS } from './options.ts';

describe('readAnnotations', () => {
  test('gives the defaults where a pod says nothing', () => {
    expect(readAnnotations(undefined)).toEqual({ options: PROXY_DEFAULTS, problems: [] });
  });

  test('leaves names alone that are not ours', () => {
    const others = { 'sidecar.istio.io/unknown': '!', 'prometheus.io/port': 'x', constructor: 'y' };
    expect(readAnnotations(others)).toEqual({ options: PROXY_DEFAULTS, problems: [] });
  });

  test.each([
    ['traffic.sidecar.istio.io/includeInboundPorts', '*', { includeInboundPorts: '*' }],
    ['traffic.sidecar.istio.io/includeInboundPorts', '', { includeInboundPorts: [] }],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '8080, 9090', { excludeInboundPorts: [8080, 9090] }],
    ['traffic.sidecar.istio.io/includeOutboundPorts', '443', { includeOutboundPorts: [443] }],
    ['traffic.sidecar.istio.io/excludeOutboundPorts', '3306', { excludeOutboundPorts: [3306] }],
    ['traffic.sidecar.istio.io/includeOutboundIPRanges', '', { includeOutboundRanges: [] }],
    [
      'traffic.sidecar.istio.io/excludeOutboundIPRanges',
      '10.0.0.1,fd00::/8',
      { excludeOutboundRanges: ['10.0.0.1/32', 'fd00::/8'] },
    ],
    ['traffic.sidecar.istio.io/excludeInterfaces', 'net1', { excludeInterfaces: ['net1'] }],
    ['sidecar.istio.io/proxyCPU', '100m', { cpuRequest: '100m' }],
    ['sidecar.istio.io/proxyCPULimit', '2', { cpuLimit: '2' }],
    ['sidecar.istio.io/proxyMemory', '128Mi', { memoryRequest: '128Mi' }],
    ['sidecar.istio.io/proxyMemoryLimit', '1Gi', { memoryLimit: '1Gi' }],
    ['sidecar.istio.io/logLevel', 'warn', { logLevel: 'warning' }],
    [
      'sidecar.istio.io/proxyImage',
      'mirror.local:5000/envoy@sha256:0a',
      { image: 'mirror.local:5000/envoy@sha256:0a' },
    ],
    ['sidecar.istio.io/rewriteAppHTTPProbers', 'false', { rewriteProbes: false }],
  ])('reads %s: "%s"', (name, value, expected) => {
    expect(readAnnotations({ [name]: value })).toEqual({ options: { ...PROXY_DEFAULTS, ...expected }, problems: [] });
  });

  test.each([
    ['traffic.sidecar.istio.io/includeInboundPorts', '8080;9090'],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '0'],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '65536'],
    ['traffic.sidecar.istio.io/excludeInboundPorts', '*'],
    ['traffic.sidecar.istio.io/excludeOutboundPorts', '-1'],
    ['traffic.sidecar.istio.io/includeOutboundIPRanges', '10.0.0.0/33'],
    ['traffic.sidecar.istio.io/excludeOutboundIPRanges', 'fd00::/129'],
    ['traffic.sidecar.istio.io/excludeOutboundIPRanges', '10.0.0.0/8 } ; flush ruleset'],
    ['traffic.sidecar.istio.io/excludeInterfaces', 'a" accept'],
    ['sidecar.istio.io/proxyCPU', 'much'],
    ['sidecar.istio.io/proxyMemory', '-1Gi'],
    ['sidecar.istio.io/proxyMemoryLimit', '0'],
    ['sidecar.istio.io/logLevel', 'loud'],
    ['sidecar.istio.io/proxyImage', ''],
    ['sidecar.istio.io/rewriteAppHTTPProbers', 'maybe'],
  ])('refuses %s: "%s", naming it, its value and what is expected', (name, value) => {
    const { problems } = readAnnotations({ [name]: value });
    expect(problems).toEqual([expect.stringMatching(/must be .+/)]);
    expect(problems[0]).toContain(`metadata.annotations[${name}]: "${value}"`);
  });

  test('tells of all that is malformed at once', () => {
    const all = Object.fromEntries(ANNOTATION_NAMES.map((name) => [name, '~']));
    expect(readAnnotations(all).problems).toHaveLength(ANNOTATION_NAMES.length);
  });
});
