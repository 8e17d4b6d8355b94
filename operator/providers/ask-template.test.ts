import { afterEach, describe, expect, test } from '@jest/globals';
import { METRIC_TEMPLATE, SECRET } from '../../kube/kinds.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { type KeyServer, startKeyServer } from '../jwks/testing/key-server.ts';
import { blockList } from '../outward/destination.ts';
import { askTemplate, type Question } from './ask-template.ts';

const LOOPBACK = blockList(['127.0.0.0/8']);
const PASSED = JSON.stringify({ data: { resultType: 'vector', result: [{ value: [1, '4.2'] }] } });
const QUERY =
  'errors{namespace="{{ namespace }}",revision="{{ revision }}",path="{{ variables.path }}"}[{{ interval }}]';

const servers: KeyServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(answer: Parameters<typeof startKeyServer>[0]): Promise<KeyServer> {
  const server = await startKeyServer(answer);
  servers.push(server);
  return server;
}

const question: Question = {
  metric: 'errors',
  templateRef: { name: 'errors', namespace: 'shop' },
  namespace: 'shop',
  values: {
    name: 'orders',
    namespace: 'shop',
    target: 'orders',
    service: 'orders',
    interval: '30s',
    revision: 'new',
    variables: { path: '/' },
  },
  stableRevision: undefined,
  intervalMs: 30_000,
};

interface Setting {
  provider?: object;
  query?: string;
  namespace?: string;
  more?: Partial<Question>;
  allowed?: typeof LOOPBACK;
  timeoutMs?: number;
  secretError?: KubeError;
}

async function ask(address: string, { provider, query = QUERY, namespace = 'shop', more, ...rest }: Setting = {}) {
  const { allowed = LOOPBACK, timeoutMs = 20_000, secretError } = rest;
  const api = new MemoryApi();
  const spec = { provider: { type: 'prometheus', address, ...provider }, query };
  await api.create(METRIC_TEMPLATE, { metadata: { name: 'errors', namespace }, spec } as object);
  const get: MemoryApi['get'] = (kind, name) => {
    if (kind === SECRET && secretError !== undefined) throw secretError;
    return api.get(kind, name);
  };
  const options = { api: { get }, allowed, rootNamespace: 'heddle-system' };
  const asked = { ...question, templateRef: { name: 'errors', namespace }, ...more };
  return askTemplate(asked, options, AbortSignal.timeout(timeoutMs));
}

describe('a MetricTemplate', () => {
  test('is filled in and asked, for both revisions where they are compared', async () => {
    const server = await serve((request, response) => {
      response.end(PASSED.replace('4.2', (request.url ?? '').includes('stable') ? '7' : '4.2'));
    });
    const query = 'errors{namespace="shop",revision="new",path="/"}[30s]';
    expect(await ask(server.url)).toEqual({ metric: 'errors', query, value: 4.2 });
    expect(new URL(server.asked[0] ?? '', server.url).searchParams.get('query')).toBe(query);
    const compared = await ask(server.url, { more: { stableRevision: 'stable' } });
    expect(compared).toEqual({ metric: 'errors', query, value: 4.2, stableValue: 7 });
  });

  test.each<[string, Setting, string, RegExp]>([
    [
      'does not exist',
      { more: { templateRef: { name: 'other', namespace: 'shop' } } },
      'TemplateMissing',
      /other does not/,
    ],
    ['is of another namespace', { namespace: 'infra' }, 'TemplateNotShared', /put it into shop, or into heddle-system/],
    [
      'asks for a variable that is not given',
      { query: '{{ variables.a }}' },
      'TemplateInvalid',
      /templateVariables has no a/,
    ],
    ['asks for what there is not', { query: '{{ ingress }}' }, 'TemplateInvalid', /\{\{ ingress \}\} is not known/],
    [
      'asks of no revision, and is to be compared',
      { query: 'up', more: { stableRevision: 'stable' } },
      'TemplateInvalid',
      /needs a query with \{\{ revision \}\}/,
    ],
    [
      'has a Secret that does not exist',
      { provider: { secretRef: { name: 's' } } },
      'SecretUnreadable',
      /Secret shop\/s does not exist/,
    ],
    [
      'has a Secret that may not be read',
      { provider: { secretRef: { name: 's' } }, secretError: new KubeError(403, 'Forbidden', 'forbidden') },
      'SecretUnreadable',
      /grant ServiceAccount heddle-operator get on it/,
    ],
    ['leads to this machine', { allowed: blockList([]) }, 'DestinationRefused', /no address that may be asked/],
  ])('that %s gives no value, and says why', async (_, setting, reason, said) => {
    const server = await serve((_request, response) => response.end(PASSED));
    const answer = await ask(server.url, setting);
    expect(answer).toMatchObject({ reason, error: expect.stringMatching(said) });
    expect(answer.value).toBeUndefined();
  });

  test.each<[string, Parameters<typeof startKeyServer>[0], string]>([
    ['hangs', () => {}, 'TimedOut'],
    ['never ends', (_request, response) => response.write('{'), 'TimedOut'],
    ['answers more than a megabyte', (_request, response) => response.end('x'.repeat(1_100_000)), 'AnswerUnreadable'],
    ['answers HTML', (_request, response) => response.end('<html>'), 'AnswerUnreadable'],
    ['breaks off', (_request, response) => response.destroy(), 'NoConnection'],
    [
      'leads round in circles',
      (_request, response) => response.writeHead(302, { location: '/' }).end(),
      'DestinationRefused',
    ],
    [
      'leads to where clouds keep secrets',
      (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'DestinationRefused',
    ],
  ])('whose server %s gives no value', async (_, answer, reason) => {
    const server = await serve(answer);
    const slow = reason === 'TimedOut' ? { timeoutMs: 300 } : {};
    expect(await ask(server.url, slow)).toMatchObject({ reason });
  });

  test('for everybody may stand in the root namespace', async () => {
    const server = await serve((_request, response) => response.end(PASSED));
    expect(await ask(server.url, { namespace: 'heddle-system' })).toMatchObject({ value: 4.2 });
  });

  test('sends its credentials to no other host than its own', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(PASSED);
    });
    const server = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: other.url }).end();
    });
    const api = new MemoryApi();
    const secretRef = { name: 's' };
    const spec = { provider: { type: 'prometheus', address: server.url, secretRef }, query: 'up' };
    await api.create(METRIC_TEMPLATE, { metadata: { name: 'errors', namespace: 'shop' }, spec } as object);
    const data = { token: Buffer.from('t').toString('base64') };
    await api.create(SECRET, { metadata: { name: 's', namespace: 'shop' }, data } as object);
    const options = { api, allowed: LOOPBACK, rootNamespace: 'heddle-system' };
    expect(await askTemplate(question, options, AbortSignal.timeout(20_000))).toMatchObject({ value: 4.2 });
    expect(seen).toEqual(['Bearer t', undefined]);
  });
});
