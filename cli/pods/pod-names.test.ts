import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { KubeApi } from '../../kube/kube-api.ts';
import { PodNames } from './pod-names.ts';

const pod = (name: string, podIP: string, phase = 'Running'): V1Pod => ({
  metadata: { namespace: 'shop', name, labels: { app: name } },
  spec: { containers: [] },
  status: { podIP, phase },
});
const PODS = [
  pod('ui', '10.0.0.1'),
  pod('six', 'fd00::1'),
  pod('done', '10.0.0.1', 'Succeeded'),
  pod('agent', '10.1.0.1'),
  pod('exporter', '10.1.0.1'),
];

/** Selects as the API server does, and notes what it was asked. */
function cluster(): { names: PodNames; asked: string[] } {
  const asked: string[] = [];
  const list = (_kind: unknown, { fieldSelector = '' }: { fieldSelector?: string }) => {
    asked.push(fieldSelector);
    const { 'status.podIP': ip, 'status.phase': phase } = Object.fromEntries(
      fieldSelector.split(',').map((one) => one.split('=')),
    );
    if (ip === '10.9.9.9') return Promise.reject(new Error('you may not'));
    const items = PODS.filter(({ status }) => status?.podIP === ip && (phase ?? status?.phase) === status?.phase);
    return Promise.resolve({ items, resourceVersion: '' });
  };
  return { names: new PodNames({ list } as unknown as Pick<KubeApi, 'list'>), asked };
}

test.each([
  ['10.0.0.1:4711', 'ui'],
  ['[fd00::1]:4711', 'six'],
  ['10.1.0.1', undefined],
  ['10.2.0.1', undefined],
  ['10.9.9.9', undefined],
])('%s is of %s', async (address, workload) => {
  expect((await cluster().names.ownerOf(address))?.workload).toBe(workload);
});

test('an address is asked for once', async () => {
  const { names, asked } = cluster();
  await Promise.all([names.ownerOf('10.0.0.1:1'), names.ownerOf('10.0.0.1:2')]);
  expect(asked).toHaveLength(1);
});
