import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { forgedToken, nowSeconds, testIssuer } from '../../feature/support/test-tokens.ts';
import { condition, conditionMessage, programmed } from '../support/conditions.ts';
import { keyServer } from '../support/key-server.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';

const SAMPLE = join(import.meta.dirname, '../../../config/samples/security/request-authentication.yaml');
const KIND = 'requestauthentication';
/** As in the sample. */
const ISSUER = 'https://id.example.com';

const mesh = useNamespace('tokens');
const keys = useNamespace('keys', {});
const ui = new Client(mesh, 'deployment/ui');
const [first, second] = [testIssuer('RS256', 'first', ISSUER), testIssuer('ES256', 'second', ISSUER)];

clusterSetup(
  [mesh, keys],
  async () => {
    await Promise.all([
      mesh.apply(...server('inventory'), ...client('ui')),
      keys.apply(...keyServer('keys', first), ...keyServer('others', second)),
    ]);
    await Promise.all([
      ...['inventory', 'ui'].map((name) => mesh.rolledOut(name)),
      ...['keys', 'others'].map((name) => keys.rolledOut(name)),
    ]);
    const sample = await readFile(SAMPLE, 'utf8');
    await mesh.kubectl.run(['apply', '-n', mesh.name, '-f', '-'], {
      input: sample.replace('http://keys/', `http://keys.${keys.name}.svc:80/`),
    });
    await programmed(mesh, KIND, 'inventory');
    await programmed(mesh, 'authorizationpolicy', 'inventory-deletes');
    await waitUntil('a refusal of a token that is none', async () => {
      const [{ statuses }] = await ui.plan([asked('no token')]);
      return statuses[401] === 1 ? undefined : JSON.stringify(statuses);
    });
  },
  240_000,
);

const asked = (token: string | undefined, method = 'GET') => ({
  url: 'http://inventory/',
  method,
  keepAlive: false,
  ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
});

describe('the sample: Inventory takes the tokens of one issuer', () => {
  clusterTest(
    'a request with a valid one passes, with its user in a header, and without the token',
    [mesh],
    async () => {
      const headers = { authorization: `Bearer ${first.token()}`, 'x-user': 'mallory' };
      const echo = await ui.echo('http://inventory/', { headers });
      expect(echo.headers['x-user']).toBe('ann');
      expect(echo.headers.authorization).toBeUndefined();
      const plain = await ui.echo('http://inventory/', { headers: { 'x-user': 'mallory' } });
      expect(plain.headers['x-user']).toBeUndefined();
    },
  );

  clusterTest('one that is not valid is refused', [mesh], async () => {
    const bad = [
      forgedToken('none', undefined, { iss: ISSUER, sub: 'ann', aud: 'shop', exp: nowSeconds() + 60 }, 'first'),
      first.token({ iss: 'https://other.example' }),
      first.token({ aud: 'bank' }),
      first.token({ exp: nowSeconds() - 600 }),
      first.token({ nbf: nowSeconds() + 600 }),
      second.token(),
      `${first.token().slice(0, -8)}AAAAAAAA`,
    ];
    const reports = await ui.plan(bad.map((token) => asked(token)));
    // Envoy answers 403 to a valid token that is for somebody else.
    expect(reports.map(({ statuses }) => statuses)).toEqual(bad.map((_, nth) => ({ [nth === 2 ? 403 : 401]: 1 })));
  });

  clusterTest('and what its claims say decides who may delete', [mesh], async () => {
    const [nobody, ann, admin] = await ui.plan([
      asked(undefined, 'DELETE'),
      asked(first.token(), 'DELETE'),
      asked(first.token({ group: 'admin' }), 'DELETE'),
    ]);
    expect([nobody.statuses, ann.statuses, admin.statuses]).toEqual([{ 403: 1 }, { 403: 1 }, { 200: 1 }]);
    expect(ann.answers[0]?.body).toBe('RBAC: access denied');
  });
});

describe('keys that the operator fetches', () => {
  const policy = (name: string, jwksUri: string): object => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name },
    spec: { selector: { matchLabels: { app: 'inventory' } }, jwtRules: [{ issuer: ISSUER, jwksUri }] },
  });

  clusterTest('that are not to be had make no token valid, and the condition says why', [mesh], async () => {
    await mesh.run('delete', KIND, 'inventory');
    await mesh.apply(policy('away', `http://keys.${keys.name}.svc:1234/`));
    const { reason, message } = await condition(mesh, KIND, 'away', 'Accepted', 'False');
    expect(reason).toBe('NoKeys');
    expect(message).toContain(`http://keys.${keys.name}.svc:1234/`);
    await waitUntil('a refusal of what was valid', async () => {
      const [{ statuses }] = await ui.plan([asked(first.token())]);
      return statuses[401] === 1 ? undefined : JSON.stringify(statuses);
    });
  });

  clusterTest('of the machine that the operator runs on, or of its cloud, are not fetched', [mesh], async () => {
    await mesh.apply(policy('metadata', 'http://169.254.169.254/latest/meta-data'));
    const message = await conditionMessage(mesh, KIND, 'metadata', 'Accepted', 'False');
    expect(message).toMatch(/169\.254\.169\.254/);
    expect(message).toMatch(/allowedAddresses/);
    await mesh.run('delete', KIND, 'metadata');
  });

  clusterTest('of another place make its tokens valid, and the others no more', [mesh, keys], async () => {
    await mesh.run('delete', KIND, 'away');
    await mesh.apply(policy('others', `http://others.${keys.name}.svc:80/`));
    await programmed(mesh, KIND, 'others');
    await waitUntil('an answer to a token of the second key', async () => {
      const [{ statuses }] = await ui.plan([asked(second.token())]);
      return statuses[200] === 1 ? undefined : JSON.stringify(statuses);
    });
    // Each connection from before gets one answer more under the keys of then; so many clients reach every worker of the caller's sidecar.
    await waitUntil('a refusal of tokens of the first key', async () => {
      const [{ statuses }] = await ui.plan([{ ...asked(first.token()), count: 48, concurrency: 16 }]);
      return statuses[401] === 48 ? undefined : JSON.stringify(statuses);
    });
  });
});
