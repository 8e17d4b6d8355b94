import { describe, expect, test } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { Deployment, ManagedFields } from '../objects.ts';
import {
  borrowing,
  FIELD_MANAGER,
  fieldOwnership,
  hasBorrowed,
  isPauseApplied,
  pausedBy,
  trimTarget,
} from './borrowed-fields.ts';
import { DAEMON_SET_FIELDS } from './daemon-set.ts';
import { DEPLOYMENT_FIELDS } from './deployment.ts';
import { STATEFUL_SET_FIELDS } from './stateful-set.ts';

const strategyFields = {
  'f:spec': {
    'f:progressDeadlineSeconds': {},
    'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} },
  },
};

/** What a client-side `kubectl apply` leaves: it owns the defaults, though nobody wrote them. */
const kubectl: ManagedFields = {
  manager: 'kubectl-client-side-apply',
  operation: 'Update',
  fieldsV1: strategyFields,
};

interface Shape {
  surge?: number | string;
  unavailable?: number | string;
  deadline?: number;
  paused?: boolean;
  managers?: ManagedFields[];
  annotations?: Record<string, string>;
}

function deployment({ surge = '25%', unavailable = '25%', deadline = 600, paused, managers, annotations }: Shape = {}) {
  const made: Deployment = {
    metadata: {
      name: 'ordering',
      namespace: 'shop',
      managedFields: managers ?? [kubectl],
      annotations: annotations ?? {},
    },
    spec: {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      progressDeadlineSeconds: deadline,
      ...(paused === undefined ? {} : { paused }),
    },
  };
  return made;
}

const lastApplied = (spec: object) => ({
  'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }),
});

const ours = (fields: object): ManagedFields => ({
  manager: FIELD_MANAGER,
  operation: 'Apply',
  fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${BORROWED_ANNOTATION}`]: {} } }, ...fields },
});

const all = { maxSurge: true, maxUnavailable: true, progressDeadlineSeconds: true };

describe('the fields that may be borrowed', () => {
  test.each([
    ['are all, where a client owns defaults that nobody wrote', deployment(), all],
    [
      'are those whose values are the defaults',
      deployment({ surge: 1, deadline: 30 }),
      { ...all, maxSurge: false, progressDeadlineSeconds: false },
    ],
    [
      'are not those that the manifest names, even with the default',
      deployment({ annotations: lastApplied({ strategy: { rollingUpdate: { maxUnavailable: '25%' } } }) }),
      { ...all, maxUnavailable: false },
    ],
    [
      'are not those that another server-side apply names',
      deployment({ managers: [{ manager: 'argocd', operation: 'Apply', fieldsV1: strategyFields }] }),
      { maxSurge: false, maxUnavailable: false, progressDeadlineSeconds: false },
    ],
    [
      'are those that are borrowed already',
      deployment({
        surge: '5%',
        unavailable: 0,
        managers: [
          ours({ 'f:spec': { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } } }),
        ],
      }),
      all,
    ],
    [
      'are not those that somebody has changed since',
      deployment({ surge: '30%', managers: [ours({})] }),
      { ...all, maxSurge: false },
    ],
    [
      'do not depend on a last-applied annotation that can be read',
      deployment({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{' } }),
      all,
    ],
  ])('%s', (_, given, expected) => {
    expect(fieldOwnership(given, DEPLOYMENT_FIELDS)).toEqual(expected);
  });
});

describe('borrowing', () => {
  const wanted = { maxSurge: '5%', maxUnavailable: 0 };

  test('applies what is wanted, and keeps the old values in an annotation', () => {
    expect(borrowing(deployment(), { ...wanted, progressDeadlineSeconds: 9000 }, DEPLOYMENT_FIELDS)).toEqual({
      metadata: {
        name: 'ordering',
        namespace: 'shop',
        annotations: {
          [BORROWED_ANNOTATION]: '{"maxSurge":"25%","maxUnavailable":"25%","progressDeadlineSeconds":600}',
        },
      },
      spec: { strategy: { rollingUpdate: wanted }, progressDeadlineSeconds: 9000 },
    });
  });

  test('leaves alone what the user has set', () => {
    const spec = borrowing(deployment({ surge: 2 }), wanted, DEPLOYMENT_FIELDS);
    expect(spec).toMatchObject({ spec: { strategy: { rollingUpdate: { maxUnavailable: 0 } } } });
    expect(JSON.stringify(spec)).not.toContain('maxSurge');
  });

  const borrowed = deployment({
    surge: '5%',
    unavailable: 0,
    annotations: { [BORROWED_ANNOTATION]: '{"maxSurge":"25%","maxUnavailable":"25%"}' },
    managers: [
      ours({ 'f:spec': { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } } }),
    ],
  });

  test('has nothing to do where all is in force', () => {
    expect(borrowing(borrowed, wanted, DEPLOYMENT_FIELDS)).toBeUndefined();
    expect(borrowing(deployment(), {}, DEPLOYMENT_FIELDS)).toBeUndefined();
  });

  test('gives a field back by applying without it', () => {
    expect(borrowing(borrowed, {}, DEPLOYMENT_FIELDS)).toEqual({ metadata: { name: 'ordering', namespace: 'shop' } });
    expect(hasBorrowed(borrowed)).toBe(true);
  });

  test('takes a field again that was set to its default meanwhile', () => {
    const reset = { ...borrowed, spec: deployment().spec } as Deployment;
    expect(borrowing(reset, wanted, DEPLOYMENT_FIELDS)).toMatchObject({
      spec: { strategy: { rollingUpdate: wanted } },
    });
  });
});

describe('a paused Deployment', () => {
  test.each([
    ['is nobody’s while it is not paused', deployment(), undefined],
    ['is the user’s', deployment({ paused: true }), 'user'],
    ['is ours', deployment({ paused: true, managers: [ours({ 'f:spec': { 'f:paused': {} } })] }), 'us'],
  ])('%s', (_, given, expected) => {
    expect(pausedBy(given, DEPLOYMENT_FIELDS)).toBe(expected);
  });
});

describe('the field that stops a rollout', () => {
  const paused = { 'f:spec': { 'f:paused': {} } };
  test.each([
    ['is applied by nobody', deployment(), false],
    ['is not, where it is ours alone', deployment({ managers: [ours(paused)] }), false],
    ['is not, where somebody has set it once', deployment({ managers: [{ ...kubectl, fieldsV1: paused }] }), false],
    ['is, where the manifest has it', deployment({ annotations: lastApplied({ paused: false }) }), true],
    [
      'is, where a server-side apply has it',
      deployment({ managers: [{ manager: 'argocd-controller', operation: 'Apply', fieldsV1: paused }] }),
      true,
    ],
  ])('%s', (_, given, expected) => {
    expect(isPauseApplied(given, DEPLOYMENT_FIELDS)).toBe(expected);
  });

  test('of a StatefulSet and of a DaemonSet is how their pods are replaced', () => {
    const rolling = deployment({ annotations: lastApplied({ updateStrategy: { type: 'RollingUpdate' } }) });
    const partition = { updateStrategy: { rollingUpdate: { partition: 0 } } };
    const parted = deployment({ annotations: lastApplied(partition) });
    expect([DAEMON_SET_FIELDS, STATEFUL_SET_FIELDS].map((fields) => isPauseApplied(rolling, fields))).toEqual([
      true,
      false,
    ]);
    expect([DAEMON_SET_FIELDS, STATEFUL_SET_FIELDS].map((fields) => isPauseApplied(parted, fields))).toEqual([
      false,
      true,
    ]);
  });
});

test('a trimmed Deployment still tells who has applied what', () => {
  const trimmed = trimTarget(deployment({ managers: [kubectl, ours({})] }));
  expect(trimmed.metadata?.managedFields).toEqual([ours({})]);
});
