import { describe, expect, test } from '@jest/globals';
import type { V1Container } from '@kubernetes/client-node';
import { rewriteProbes } from './probes.ts';

const container = (fields: Partial<V1Container>): V1Container => ({ name: 'app', image: 'app', ...fields });
const rewrite = (fields: Partial<V1Container>) => {
  const { containers, probes, problems } = rewriteProbes([container(fields)], {});
  return { container: containers[0], probes, problems };
};

describe('rewriteProbes', () => {
  test('points an HTTP probe at the probe port and keeps its timing and headers', () => {
    const httpGet = { port: 8080, path: '/live?full=1', httpHeaders: [{ name: 'Host', value: 'shop' }] };
    const { container, probes } = rewrite({ livenessProbe: { httpGet, periodSeconds: 3, timeoutSeconds: 2 } });
    expect(container?.livenessProbe).toEqual({
      httpGet: { port: 15020, path: '/app-health/app/livez', httpHeaders: [{ name: 'Host', value: 'shop' }] },
      periodSeconds: 3,
      timeoutSeconds: 2,
    });
    expect(probes).toEqual({ '/app-health/app/livez': { type: 'http', port: 8080, path: '/live?full=1' } });
  });

  test('has kubelet speak HTTP to us and us HTTPS to the application', () => {
    const { container, probes } = rewrite({ readinessProbe: { httpGet: { port: 8443, scheme: 'HTTPS' } } });
    expect(container?.readinessProbe?.httpGet?.scheme).toBe('HTTP');
    expect(probes['/app-health/app/readyz']).toEqual({ type: 'https', port: 8443, path: '/' });
  });

  test.each([
    ['a number', 8080, 8080],
    ['a number as text', '8080', 8080],
    ['the name of a port of the container', 'web', 80],
  ])('resolves a port that is %s', (_, port, expected) => {
    const ports = [{ name: 'web', containerPort: 80 }];
    expect(rewrite({ ports, livenessProbe: { httpGet: { port } } }).probes['/app-health/app/livez']?.port).toBe(
      expected,
    );
  });

  test.each([
    [undefined, '/'],
    ['', '/'],
    ['healthz', '/healthz'],
    ['/a b?x=ä#part', '/a%20b?x=%C3%A4'],
    ['/already%20there', '/already%20there'],
  ])('takes the path %j as %s', (path, expected) => {
    const httpGet = path === undefined ? { port: 80 } : { port: 80, path };
    expect(rewrite({ livenessProbe: { httpGet } }).probes['/app-health/app/livez']?.path).toBe(expected);
  });

  test('turns a TCP probe into an HTTP one', () => {
    const { container, probes } = rewrite({ startupProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 } });
    expect(container?.startupProbe).toEqual({
      httpGet: { path: '/app-health/app/startupz', port: 15020 },
      periodSeconds: 1,
    });
    expect(probes).toEqual({ '/app-health/app/startupz': { type: 'tcp', port: 9000, periodSeconds: 1 } });
  });

  test('gives each gRPC port a port of ours and keeps the service', () => {
    const { container } = rewrite({
      livenessProbe: { grpc: { port: 9001, service: 'a' } },
      readinessProbe: { grpc: { port: 9002 } },
      startupProbe: { grpc: { port: 9001, service: 'b' } },
    });
    expect(container?.livenessProbe?.grpc).toEqual({ port: 15031, service: 'a' });
    expect(container?.readinessProbe?.grpc).toEqual({ port: 15032 });
    expect(container?.startupProbe?.grpc).toEqual({ port: 15031, service: 'b' });
  });

  test('rewrites httpGet hooks and leaves the others', () => {
    const { container, probes } = rewrite({
      lifecycle: { preStop: { httpGet: { port: 80, path: '/bye' } }, postStart: { exec: { command: ['true'] } } },
    });
    expect(container?.lifecycle).toEqual({
      preStop: { httpGet: { port: 15020, path: '/app-health/app/prestop' } },
      postStart: { exec: { command: ['true'] } },
    });
    expect(Object.keys(probes)).toEqual(['/app-health/app/prestop']);
  });

  test.each<[string, Partial<V1Container>]>([
    ['an exec probe', { livenessProbe: { exec: { command: ['true'] } } }],
    ['a probe of another host', { livenessProbe: { httpGet: { host: 'example.test', port: 80 } } }],
    ['a port name the container lacks', { livenessProbe: { tcpSocket: { port: 'web' } } }],
    ['a sleep hook', { lifecycle: { preStop: { sleep: { seconds: 5 } } } }],
  ])('leaves %s alone', (_, fields) => {
    const result = rewrite(fields);
    expect(result.container).toEqual(container(fields));
    expect(result.probes).toEqual({});
  });

  test('changes nothing the second time, and takes a probe that somebody replaced since', () => {
    const first = rewriteProbes(
      [container({ livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { grpc: { port: 90 } } })],
      {},
    );
    const second = rewriteProbes(first.containers, first.probes);
    expect(second).toEqual(first);
    const replaced = [{ ...container({}), livenessProbe: { tcpSocket: { port: 81 } } }];
    expect(rewriteProbes(replaced, first.probes).probes).toEqual({
      '/app-health/app/livez': { type: 'tcp', port: 81, periodSeconds: 10 },
    });
  });

  test('refuses more gRPC ports than there are places', () => {
    const containers = Array.from({ length: 11 }, (_, index) =>
      container({ name: `c${index}`, livenessProbe: { grpc: { port: 9000 + index } } }),
    );
    expect(rewriteProbes(containers, {}).problems).toEqual([expect.stringContaining('more than 10 different ports')]);
  });
});
