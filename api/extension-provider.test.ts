import { describe, expect, test } from '@jest/globals';
import { readMeshConfig } from './mesh-config.ts';

const http = (more: string) =>
  `extensionProviders: [{name: a, envoyExtAuthzHttp: {service: ns/a.example, port: 80, ${more}}}]`;
const grpc = (more: string) =>
  `extensionProviders: [{name: a, envoyExtAuthzGrpc: {service: a.example, port: 80, ${more}}}]`;

describe('extension providers', () => {
  test("have Istio's defaults", () => {
    const [first] = readMeshConfig(grpc('')).extensionProviders;
    expect(first?.envoyExtAuthzGrpc).toEqual({
      service: 'a.example',
      port: 80,
      timeout: '600s',
      failOpen: false,
      clearRouteCache: false,
    });
    expect(readMeshConfig('').extensionProviders).toEqual([]);
  });

  test.each([
    ['service: a', http('').replace('ns/a.example', 'a'), 'service: must be a hostname'],
    ['a wildcard', http('').replace('ns/a.example', 'ns/*.example'), 'service: must be a hostname'],
    ['a port', http('').replace('port: 80', 'port: 0'), 'envoyExtAuthzHttp.port: '],
    ['a timeout', http('timeout: 0s'), 'timeout: must be a positive duration'],
    ['a status', http("statusOnError: '306'"), 'statusOnError: must be a status'],
    ['a route', grpc('clearRouteCache: true'), 'envoyExtAuthzGrpc.clearRouteCache: has no effect'],
    [
      'two answers',
      http("failOpen: true, statusOnError: '503'"),
      'envoyExtAuthzHttp.statusOnError: has no effect with failOpen',
    ],
    ['a path', http('pathPrefix: check'), 'pathPrefix: must begin with "/"'],
    ['a query', http('pathPrefix: "/a?b"'), 'pathPrefix: must have no query'],
    [
      'all headers',
      http("headersToUpstreamOnAllow: ['*']"),
      'headersToUpstreamOnAllow.0: must be the name of a header',
    ],
    ['a star within', http('includeRequestHeadersInCheck: [a*b]'), 'includeRequestHeadersInCheck.0: must be'],
    ['a pseudo-header', http("headersToDownstreamOnDeny: [':path']"), 'headersToDownstreamOnDeny.0: must be'],
    ['the host', http('includeAdditionalHeadersInCheck: {Host: a}'), 'includeAdditionalHeadersInCheck.Host: must be'],
    ['a value', http("includeAdditionalHeadersInCheck: {x-a: '%NOBODY%'}"), 'Check.x-a: must not hold %NOBODY%'],
    ['no length', http('includeRequestBodyInCheck: {}'), 'includeRequestBodyInCheck.maxRequestBytes'],
    ['bytes by HTTP', http('includeRequestBodyInCheck: {maxRequestBytes: 1, packAsBytes: true}'), 'packAsBytes has'],
    ['a path by gRPC', grpc('pathPrefix: /a'), 'Unrecognized key: "pathPrefix"'],
    ['a field of old', http('includeHeadersInCheck: [a]'), 'Unrecognized key: "includeHeadersInCheck"'],
    ['another kind', 'extensionProviders: [{name: a, skywalking: {}}]', 'Unrecognized key: "skywalking"'],
    ['no kind', 'extensionProviders: [{name: a}]', 'must have one of envoyExtAuthzHttp, envoyExtAuthzGrpc'],
    ['a name', 'extensionProviders: [{name: "a b"}]', 'name: must consist of'],
  ])('may not have such %s', (_, text, message) => {
    expect(() => readMeshConfig(text)).toThrow(message);
  });

  test('have names of their own', () => {
    const one = '{name: a, envoyExtAuthzGrpc: {service: a.example, port: 80}}';
    expect(() => readMeshConfig(`extensionProviders: [${one}, ${one}]`)).toThrow('1.name: must be the only one');
  });
});
