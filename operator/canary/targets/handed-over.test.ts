import { describe, expect, test } from '@jest/globals';
import type { Deployment, ManagedFields } from '../objects.ts';
import { FIELD_MANAGER } from './borrowed-fields.ts';
import { DEPLOYMENT_FIELDS } from './deployment.ts';
import { handingOver, wantedAsTheyAre } from './handed-over.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const SURGE = ['spec', 'strategy', 'rollingUpdate', 'maxSurge'];

const ours: ManagedFields = {
  manager: FIELD_MANAGER,
  operation: 'Apply',
  fieldsV1: {
    'f:spec': { 'f:paused': {}, 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } },
  },
};

const client: ManagedFields = {
  manager: 'argocd-controller',
  operation: 'Update',
  fieldsV1: {
    'f:metadata': { 'f:annotations': { '.': {}, [`f:${LAST_APPLIED}`]: {} } },
    'f:spec': { 'f:replicas': {}, 'f:strategy': { 'f:type': {} } },
  },
};

const status: ManagedFields = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'status' };

/** A Deployment whose room and pause are borrowed, as a client-side apply of this spec leaves it. */
function applied(spec: object, managedFields = [ours, client, status]): Deployment {
  return {
    metadata: {
      name: 'shop',
      namespace: 'shop',
      resourceVersion: '7',
      annotations: { [LAST_APPLIED]: JSON.stringify({ spec }) },
      managedFields,
    },
    spec: { paused: true, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '50%', maxUnavailable: 0 } } },
  };
}

const room = (maxSurge: string | number) => ({ strategy: { rollingUpdate: { maxSurge } } });

describe('fields that are given back', () => {
  test.each([
    ['are handed over where the manifest has what they are', applied(room('50%')), {}, [SURGE]],
    ['are handed over with the pause', applied({ paused: true }), {}, [['spec', 'paused']]],
    ['are not where it has another value', applied(room(1)), {}, []],
    ['are not where it has none', applied({}), {}, []],
    ['are not while they are kept', applied(room('50%')), { spec: room('50%') }, []],
    ['are not where they were somebody’s already', applied(room('50%'), [client]), {}, []],
  ])('%s', (_, target, body, expected) => {
    expect(wantedAsTheyAre(target, body, DEPLOYMENT_FIELDS)).toEqual(expected);
  });

  test('become those of the client that wrote the manifest, who keeps all that it has', () => {
    const patch = handingOver(applied(room('50%')), [SURGE]);
    const fieldsV1 = {
      ...client.fieldsV1,
      'f:spec': { 'f:replicas': {}, 'f:strategy': { 'f:type': {}, 'f:rollingUpdate': { 'f:maxSurge': {} } } },
    };
    expect(patch).toEqual({
      metadata: { resourceVersion: '7', managedFields: [ours, { ...client, fieldsV1 }, status] },
    });
  });

  test('stay as they are where no such client is known', () => {
    expect(handingOver(applied(room('50%'), [ours, status]), [SURGE])).toBeUndefined();
  });
});
