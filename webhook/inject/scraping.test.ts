import { expect, test } from '@jest/globals';
import { pod } from '../testing/pod.ts';
import { injectPod } from './mutate.ts';
import { scrapeSidecar } from './scraping.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

const OURS = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': '15020',
  'prometheus.io/path': '/stats/prometheus',
};
const at = (annotations: Record<string, string>, ports: number[] = []) =>
  pod(
    { containers: [{ name: 'app', ports: ports.map((containerPort) => ({ containerPort })) }] },
    { name: 'web', annotations },
  );

test('Prometheus is pointed at the sidecar, and the sidecar at the application', () => {
  const given = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102', 'prometheus.io/path': 'own?a=b c' };
  expect(scrapeSidecar(at({ ...given, other: 'x' }), true, undefined)).toEqual({
    annotations: { ...OURS, other: 'x' },
    application: { port: 9102, path: '/own?a=b%20c', scheme: 'http' },
    warnings: [],
  });
});

test('what the application does not say is what Prometheus would take', () => {
  const scrape = { 'prometheus.io/scrape': 'true' };
  const application = (annotations: Record<string, string>, ports?: number[]) =>
    scrapeSidecar(at({ ...scrape, ...annotations }, ports), true, undefined).application;
  expect(application({}, [8080, 9090])).toEqual({ port: 8080, path: '/metrics', scheme: 'http' });
  expect(application({})).toMatchObject({ port: 80 });
  expect(application({ 'prometheus.io/scheme': 'https' }, [8443])).toMatchObject({ scheme: 'https' });
});

test('an application without metrics of its own has none beside the sidecar', () => {
  expect(scrapeSidecar(at({}, [8080]), true, undefined)).toEqual({ annotations: OURS, warnings: [] });
});

test.each([
  [{ 'prometheus.io/scrape': 'false' }, true],
  [{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102' }, false],
])('annotations %p stay with merging %p', (annotations, merges) => {
  expect(scrapeSidecar(at(annotations), merges, undefined)).toEqual({ annotations, warnings: [] });
});

test.each(['0', 'metrics', '15090', '70000'])('port %p is none of an application, and its user is told', (port) => {
  const { application, warnings } = scrapeSidecar(
    at({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': port }),
    true,
    undefined,
  );
  expect(application).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining(`metadata.annotations[prometheus.io/port]: "${port}"`)]);
});

test('another pass of the webhook finds the application again', () => {
  const first = injectPod(
    at({ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102', 'prometheus.io/scheme': 'https' }),
    DEFAULT_SETTINGS,
  );
  expect(first.pod.metadata?.annotations).toMatchObject(OURS);
  expect(first.pod.metadata?.annotations).not.toHaveProperty('prometheus.io/scheme');
  const bootstrap = first.pod.spec?.initContainers?.find(({ name }) => name === 'istio-proxy')?.args?.[1];
  expect(bootstrap).toContain('"port_value":9102');
  expect(injectPod(first.pod, DEFAULT_SETTINGS)).toEqual(first);
});

test('merging is switched off by an annotation that says true or false', () => {
  const off = { 'prometheus.istio.io/merge-metrics': 'false', 'prometheus.io/port': '9102' };
  expect(injectPod(at(off), DEFAULT_SETTINGS).pod.metadata?.annotations).toMatchObject(off);
  const { problems } = injectPod(at({ 'prometheus.istio.io/merge-metrics': 'maybe' }), DEFAULT_SETTINGS);
  expect(problems).toEqual([expect.stringContaining('prometheus.istio.io/merge-metrics')]);
});
