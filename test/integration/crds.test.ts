import { beforeAll, describe, expect, test } from '@jest/globals';
import { inTree } from '../../hack/mesh/install.ts';
import { testKubectl } from '../e2e/support/cluster.ts';
import { useNamespace } from '../e2e/support/namespace.ts';
import { established } from './support/established.ts';

const kubectl = testKubectl();
const namespace = useNamespace('crds', {});

beforeAll(async () => {
  await kubectl.run(['apply', '-k', inTree('manifests/istio-crds')]);
  await kubectl.run(['apply', '-k', inTree('manifests/base/crds')]);
  await established(kubectl, ['canaries.heddle.dev', 'peerauthentications.security.istio.io']);
}, 60_000);

/** Applies an object without keeping it, and gives what the API server said. */
async function admit(object: object): Promise<string> {
  const args = ['-n', namespace.name, 'apply', '--dry-run=server', '-f', '-'];
  const { stdout, stderr } = await kubectl.try(args, { input: JSON.stringify(object) });
  return stdout + stderr;
}

const canary = (analysis: object, target: object = { kind: 'Deployment', name: 'ordering' }): object => ({
  apiVersion: 'heddle.dev/v1alpha1',
  kind: 'Canary',
  metadata: { name: 'ordering' },
  spec: { targetRef: target, analysis },
});

const policy = (spec: object, version = 'v1'): object => ({
  apiVersion: `security.istio.io/${version}`,
  kind: 'PeerAuthentication',
  metadata: { name: 'default' },
  spec,
});

describe('the API server, asked for a Canary', () => {
  test('takes a good one and fills in the defaults', async () => {
    await namespace.apply(canary({ interval: '8s', stepWeights: [5, 50, 100] }));
    expect(await namespace.get('canary', 'ordering')).toMatchObject({
      spec: {
        targetRef: { apiVersion: 'apps/v1' },
        progressDeadlineSeconds: 600,
        suspend: false,
        analysis: { threshold: 5, minRequests: 10, metrics: [] },
      },
    });
  });

  test.each([
    [
      'a negative interval',
      { interval: '-5s', stepWeight: 5 },
      'spec.analysis.interval: Invalid value: "-5s": must be a positive duration',
    ],
    [
      'a weight over 100',
      { interval: '5s', stepWeights: [5, 150] },
      'spec.analysis.stepWeights[1] in body should be less than or equal to 100',
    ],
    [
      'two kinds of weights',
      { interval: '5s', stepWeight: 5, stepWeights: [5] },
      'give exactly one of iterations, stepWeight and stepWeights',
    ],
    ['no weights', { interval: '5s' }, 'give exactly one of iterations, stepWeight and stepWeights'],
    ['weights that fall', { interval: '5s', stepWeights: [50, 5] }, 'stepWeights must rise'],
    [
      'a step over the maximum',
      { interval: '5s', stepWeight: 60, maxWeight: 50 },
      'stepWeight must not be above maxWeight',
    ],
    [
      'a field it does not know',
      { interval: '5s', stepWeight: 5, colour: 'blue' },
      'unknown field "spec.analysis.colour"',
    ],
  ])('refuses %s in words a person understands', async (_, analysis, message) => {
    expect(await admit(canary(analysis))).toContain(message);
  });

  test('refuses a target of another kind and says which there are', async () => {
    const said = await admit(canary({ interval: '5s', stepWeight: 5 }, { kind: 'Pod', name: 'x' }));
    expect(said).toContain('spec.targetRef.kind: Unsupported value: "Pod": supported values: "Deployment"');
  });
});

describe('the API server, asked for a PeerAuthentication', () => {
  test.each(['v1', 'v1beta1'])('takes it as %s', async (version) => {
    expect(await admit(policy({ mtls: { mode: 'STRICT' } }, version))).toContain('created (server dry run)');
  });

  test.each([
    ['a mode that is none', { mtls: { mode: 'STRICTER' } }, 'spec.mtls.mode: Unsupported value: "STRICTER"'],
    ['ports without a selector', { portLevelMtls: { '80': { mode: 'STRICT' } } }, 'portLevelMtls requires selector'],
    [
      'a port that is none',
      { selector: { matchLabels: { a: 'b' } }, portLevelMtls: { '70000': {} } },
      'port must be between 1-65535',
    ],
  ])('refuses %s', async (_, spec, message) => {
    expect(await admit(policy(spec))).toContain(message);
  });

  test("keeps a status of Istio's, fields of later versions included", async () => {
    await namespace.apply(policy({}));
    const status = {
      observedGeneration: '3',
      validationMessages: [{ level: 'INFO', type: { code: 'IST0101' } }],
      later: 1,
    };
    await namespace.run(
      'patch',
      'peerauthentication',
      'default',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    );
    expect(await namespace.get('peerauthentication', 'default')).toMatchObject({ status });
  });
});

describe('kubectl get', () => {
  test('tells the story of a Canary and of a policy', async () => {
    await namespace.apply(canary({ interval: '8s', stepWeights: [5, 50, 100] }), policy({ mtls: { mode: 'STRICT' } }));
    const canaryStatus = {
      phase: 'Progressing',
      weight: 5,
      verdict: 'Passed',
      metrics: { successRate: '100%', p99: '12ms', requests: 23 },
    };
    const conditions = [
      { type: 'Accepted', status: 'True' },
      { type: 'Programmed', status: 'True', message: 'in force on 3 of 3 proxies' },
    ];
    const patch = (kind: string, name: string, status: object): Promise<string> =>
      namespace.run('patch', kind, name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
    await patch('canary', 'ordering', canaryStatus);
    await patch('peerauthentication', 'default', { conditions });
    const lines = (await namespace.run('get', 'canary,peerauthentication'))
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(lines[0]).toEqual(['NAME', 'PHASE', 'WEIGHT', 'SUCCESS', 'P99', 'REQUESTS', 'VERDICT', 'AGE']);
    expect(lines[1]?.slice(1, 7)).toEqual(['Progressing', '5', '100%', '12ms', '23', 'Passed']);
    expect(lines[3]).toEqual(['NAME', 'MODE', 'ACCEPTED', 'PROGRAMMED', 'MESSAGE', 'AGE']);
    expect(lines[4]?.slice(1, 5)).toEqual(['STRICT', 'True', 'True', 'in force on 3 of 3 proxies']);
  });
});
