import { describe, expect, test } from '@jest/globals';
import { protocolOf } from './protocol.ts';

describe('protocol of a port', () => {
  test.each([
    ['appProtocol http', { appProtocol: 'http' }, 'http'],
    ['appProtocol in capitals', { appProtocol: 'HTTP' }, 'http'],
    ['appProtocol http2', { appProtocol: 'http2' }, 'http2'],
    ['appProtocol h2c', { appProtocol: 'h2c' }, 'http2'],
    ['appProtocol kubernetes.io/h2c', { appProtocol: 'kubernetes.io/h2c' }, 'http2'],
    ['appProtocol kubernetes.io/ws', { appProtocol: 'kubernetes.io/ws' }, 'http'],
    ['appProtocol kubernetes.io/wss', { appProtocol: 'kubernetes.io/wss' }, 'tls'],
    ['appProtocol https', { appProtocol: 'https' }, 'tls'],
    ['appProtocol grpc', { appProtocol: 'grpc' }, 'grpc'],
    ['appProtocol grpc-web', { appProtocol: 'grpc-web' }, 'grpc'],
    ['appProtocol redis', { appProtocol: 'redis' }, 'tcp'],
    ['appProtocol over the name', { appProtocol: 'tcp', name: 'http' }, 'tcp'],
    ['an unknown appProtocol, which hides the name as in Istio', { appProtocol: 'acme.io/x', name: 'http' }, 'auto'],
    ['the name http', { name: 'http' }, 'http'],
    ['the prefix of the name', { name: 'http-metrics' }, 'http'],
    ['a prefix without hyphen is none', { name: 'httpd' }, 'auto'],
    ['the name http2-api', { name: 'http2-api' }, 'http2'],
    ['the name grpc-web-x', { name: 'grpc-web-x' }, 'grpc'],
    ['the name grpc-x', { name: 'grpc-x' }, 'grpc'],
    ['the name tls-x', { name: 'tls-x' }, 'tls'],
    ['the name https', { name: 'https' }, 'tls'],
    ['the name mysql', { name: 'mysql' }, 'tcp'],
    ['the name mongo-x', { name: 'mongo-x' }, 'tcp'],
    ['the name udp-x', { name: 'udp-x' }, 'udp'],
    ['no name', {}, 'auto'],
    ['a name that says nothing', { name: 'web' }, 'auto'],
    ['a name that all JavaScript objects know', { name: 'constructor' }, 'auto'],
    ['an appProtocol that they know', { appProtocol: '__proto__' }, 'auto'],
    ['UDP', { protocol: 'UDP', name: 'http' }, 'udp'],
    ['SCTP', { protocol: 'SCTP' }, 'udp'],
    ['TCP with a name', { protocol: 'TCP', name: 'http' }, 'http'],
  ] as const)('%s', (_, port, protocol) => {
    expect(protocolOf({ numbers: [80], ...port })).toBe(protocol);
  });

  test.each([25, 53, 587, 3306, 27017])('%d is not sniffed: nobody would speak first', (port) => {
    expect(protocolOf({ numbers: [port] })).toBe('tcp');
  });

  test('a well-known target counts too, and a name that says more wins', () => {
    expect(protocolOf({ numbers: [13306, 3306] })).toBe('tcp');
    expect(protocolOf({ numbers: [3306], name: 'http' })).toBe('http');
  });
});
