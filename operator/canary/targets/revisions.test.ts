import { describe, expect, test } from '@jest/globals';
import type { Deployment, PodTemplate, ReplicaSet } from '../objects.ts';
import { findCurrent, restartFingerprint, revisionOf } from './revisions.ts';

const template = (image: string, annotations: Record<string, string> = {}): PodTemplate => ({
  metadata: { labels: { app: 'ordering' }, annotations },
  spec: { containers: [{ name: 'app', image }] },
});

function replicaSet(hash: string, image: string, ordinal: number): ReplicaSet {
  const labels = { 'pod-template-hash': hash };
  return {
    metadata: {
      labels,
      annotations: { 'deployment.kubernetes.io/revision': String(ordinal) },
      creationTimestamp: `2026-01-01T00:00:0${ordinal}Z`,
    },
    spec: { template: { ...template(image), metadata: { labels: { ...labels, app: 'ordering' } } } },
  };
}

function deployment(
  image: string,
  ordinal: number,
  more: { generation?: number; observed?: number; paused?: boolean } = {},
) {
  const { generation = 1, observed = 1, paused = false } = more;
  const made: Deployment = {
    metadata: { generation, annotations: { 'deployment.kubernetes.io/revision': String(ordinal) } },
    spec: { template: template(image), paused },
    status: { observedGeneration: observed },
  };
  return made;
}

const sets = [replicaSet('aaa', 'app:1', 1), replicaSet('bbb', 'app:2', 2)];
const current = (given: Deployment) => revisionOf(findCurrent(given, sets) ?? {});

describe('the current revision', () => {
  test.each([
    ['is that of the equal template', deployment('app:2', 2), 'bbb'],
    ['is the old one again after a revert', deployment('app:1', 2), 'aaa'],
    ['is unknown while Kubernetes has not seen the new template', deployment('app:3', 2, { generation: 2 }), ''],
    ['is the controller’s choice where defaults have changed', deployment('app:2-with-defaults', 2), 'bbb'],
    ['is unknown while a paused Deployment has a new template', deployment('app:3', 2, { paused: true }), ''],
  ])('%s', (_, given, expected) => {
    expect(current(given)).toBe(expected);
  });
});

describe('the fingerprint of a template', () => {
  test('does not see a restart', () => {
    const restarted = template('app:1', { 'kubectl.kubernetes.io/restartedAt': '2026-01-01T00:00:00Z' });
    expect(restartFingerprint(restarted)).toBe(restartFingerprint(template('app:1')));
  });

  test('sees everything else', () => {
    expect(restartFingerprint(template('app:2'))).not.toBe(restartFingerprint(template('app:1')));
    expect(restartFingerprint(template('app:1', { a: 'b' }))).not.toBe(restartFingerprint(template('app:1')));
  });

  test('is the same with and without the hash that Kubernetes adds, whatever the order of fields', () => {
    const spec = { containers: [{ image: 'app:1', name: 'app' }] };
    const other = { spec, metadata: { annotations: {}, labels: { 'pod-template-hash': 'x', app: 'ordering' } } };
    expect(restartFingerprint(other)).toBe(restartFingerprint(template('app:1')));
  });
});
