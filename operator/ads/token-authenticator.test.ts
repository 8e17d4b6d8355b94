import { status } from '@grpc/grpc-js';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type PodRecord, TOKEN_SETTINGS, TokenAuthenticator, type TokenReviewResult } from './token-authenticator.ts';

const NOW = 1_700_000_000_000;
const POD: PodRecord = {
  uid: 'u',
  name: 'p',
  namespace: 'shop',
  serviceAccount: 'sa',
  ips: ['10.0.0.1', 'fd00::1'],
};
const GOOD: TokenReviewResult = {
  authenticated: true,
  username: 'system:serviceaccount:shop:sa',
  podName: 'p',
  podUid: 'u',
};

function token(claims: object = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({})}.${part({ exp: NOW / 1000 + 3600, aud: ['heddle'], ...claims })}.x`;
}

describe('the token authenticator', () => {
  let now: number;
  let reviews: number;
  let answered: Promise<void>;
  let result: TokenReviewResult | Error;
  let pod: PodRecord | undefined;
  let clockOffsetMs: number | undefined;
  let authenticator: TokenAuthenticator;

  beforeEach(() => {
    now = NOW;
    reviews = 0;
    answered = Promise.resolve();
    result = GOOD;
    pod = POD;
    clockOffsetMs = undefined;
    authenticator = new TokenAuthenticator(
      {
        reviewToken: async () => {
          reviews++;
          await answered;
          if (result instanceof Error) {
            throw result;
          }
          return result;
        },
        podByUid: () => pod,
        podUidByAddress: (address) => ({ '10.0.0.1': 'u', '10.0.0.2': 'other' })[address],
        now: () => now,
        clockOffsetMs: () => clockOffsetMs,
      },
      { ...TOKEN_SETTINGS, podWaitMs: 0, maxEntries: 3, maxReviews: 2 },
    );
  });

  const authenticate = (peerAddress = '10.0.0.1', bearer = token()) =>
    authenticator.authenticate({ token: bearer, peerAddress });

  test.each([1e300, -1e300, 8.64e12 + 1, -8.64e12 - 1])(
    'refuses a token that expires when no date is: %d',
    async (exp) => {
      await expect(authenticate('10.0.0.1', token({ exp }))).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
        details: 'the bearer token is not a ServiceAccount token',
      });
      expect(reviews).toBe(0);
    },
  );

  test.each<[string, object, string]>([
    ['has expired', { exp: NOW / 1000 }, 'the bearer token expired at 2023-11-14T22:13:20.000Z'],
    ['is for others', { aud: ['api', 'vault'] }, 'the bearer token is not for the audience heddle'],
    ['is for nobody', { aud: undefined }, 'the bearer token is not for the audience heddle'],
  ])('refuses a token that %s, and asks nobody', async (_, claims, details) => {
    await expect(authenticate('10.0.0.1', token(claims))).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details,
    });
    expect(reviews).toBe(0);
  });

  test('has so many tokens reviewed at one time, and others once those are', async () => {
    let answer = (): void => {};
    answered = new Promise((resolve) => {
      answer = resolve;
    });
    const [one, two, three] = ['1', '2', '3'].map((jti) => token({ jti }));
    const under = [authenticate('10.0.0.1', one), authenticate('10.0.0.1', two)];
    await expect(authenticate('10.0.0.1', three)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(reviews).toBe(2);
    answer();
    await Promise.all(under);
    await expect(authenticate('10.0.0.1', three)).resolves.toBeDefined();
  });

  test('refuses the first message of a pod that is not to be served any more since its token was accepted', async () => {
    const proxy = await authenticate();
    pod = { ...POD, problem: 'runs no sidecar of the mesh' };
    expect(() => proxy.checkNodeId('sidecar~10.0.0.1~p.shop~shop.svc.cluster.local')).toThrow(
      expect.objectContaining({ code: status.PERMISSION_DENIED, details: 'pod shop/p runs no sidecar of the mesh' }),
    );
  });

  test('says who the proxy is and until when', async () => {
    const { identity, expiresAt } = await authenticate();
    expect(identity).toEqual({ uid: 'u', podName: 'p', namespace: 'shop', serviceAccount: 'sa' });
    expect(expiresAt).toBe(NOW + 3_600_000);
  });

  test.each([-3_600_000, 3_600_000])(
    'reads its end by the clock of whoever issued it, which is %i ms off',
    async (off) => {
      clockOffsetMs = off;
      now = NOW - off;
      expect((await authenticate()).expiresAt).toBe(now + 3_600_000);
      await expect(authenticate('10.0.0.1', token({ exp: NOW / 1000 }))).rejects.toThrow(
        'expired at 2023-11-14T22:13:20',
      );
    },
  );

  test.each([
    ['the address of another pod', '10.0.0.2', status.PERMISSION_DENIED],
    ['the address of another pod, as a dual-stack socket shows it', '::ffff:10.0.0.2', status.PERMISSION_DENIED],
  ])('refuses %s', async (_name, peer, code) => {
    await expect(authenticate(peer)).rejects.toMatchObject({ code });
  });

  test('takes the pod’s own address though an old pod that had it is still in the store', async () => {
    pod = { ...POD, ips: ['10.0.0.2'] };
    await expect(authenticate('10.0.0.2')).resolves.toBeDefined();
  });

  test('takes an address that is no pod’s, for the connection may come through NAT', async () => {
    await expect(authenticate('192.0.2.1')).resolves.toBeDefined();
  });

  test.each<[string, TokenReviewResult, status]>([
    ['is not authenticated', { authenticated: false, error: 'secret detail' }, status.UNAUTHENTICATED],
    ['is a user’s', { ...GOOD, username: 'alice' }, status.PERMISSION_DENIED],
    [
      'is bound to no pod',
      { authenticated: true, username: 'system:serviceaccount:shop:sa' },
      status.PERMISSION_DENIED,
    ],
    [
      'is bound to a pod of which only the name is told',
      { authenticated: true, username: 'system:serviceaccount:shop:sa', podName: 'p' },
      status.PERMISSION_DENIED,
    ],
    ['is of another service account', { ...GOOD, username: 'system:serviceaccount:shop:x' }, status.PERMISSION_DENIED],
    ['is of another namespace', { ...GOOD, username: 'system:serviceaccount:bank:sa' }, status.PERMISSION_DENIED],
    ['is of a pod of another name', { ...GOOD, podName: 'q' }, status.PERMISSION_DENIED],
  ])('refuses a token that %s', async (_name, answer, code) => {
    result = answer;
    const refused = authenticate();
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.not.toMatchObject({ details: expect.stringMatching(/secret detail/) });
  });

  test.each([
    ['sidecar~10.0.0.1~p.shop~shop.svc.cluster.local', true],
    ['sidecar~fd00::1~p.shop~shop.svc.cluster.local', true],
    ['sidecar~10.0.0.9~p.shop~shop.svc.cluster.local', false],
    ['sidecar~10.0.0.1~q.shop~shop.svc.cluster.local', false],
    ['sidecar~10.0.0.1~p.bank~bank.svc.cluster.local', false],
    ['sidecar~10.0.0.1~p.shop~bank.svc.cluster.local', false],
    ['router~10.0.0.1~p.shop~shop.svc.cluster.local', false],
    ['', false],
  ])('binds the node ID: "%s" is taken: %s', async (nodeId, taken) => {
    const proxy = await authenticate();
    if (taken) {
      expect(() => proxy.checkNodeId(nodeId)).not.toThrow();
    } else {
      expect(() => proxy.checkNodeId(nodeId)).toThrow(expect.objectContaining({ code: status.PERMISSION_DENIED }));
    }
  });

  test('asks the API server once for one token, however many streams come, and again after a while', async () => {
    await Promise.all([authenticate(), authenticate(), authenticate()]);
    await authenticate();
    expect(reviews).toBe(1);
    now += TOKEN_SETTINGS.acceptedMs;
    await authenticate();
    expect(reviews).toBe(2);
  });

  test('remembers a refusal for a moment only', async () => {
    result = { authenticated: false };
    await expect(authenticate()).rejects.toThrow();
    await expect(authenticate()).rejects.toThrow();
    expect(reviews).toBe(1);
    now += TOKEN_SETTINGS.rejectedMs;
    result = GOOD;
    await expect(authenticate()).resolves.toBeDefined();
  });

  test('does not take an API server that is away for a refusal', async () => {
    result = new Error('connection refused to 10.1.1.1');
    const failed = authenticate();
    await expect(failed).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(failed).rejects.not.toMatchObject({ details: expect.stringMatching(/10\.1\.1\.1/) });
    result = GOOD;
    await expect(authenticate()).resolves.toBeDefined();
  });

  test('forgets the tokens of a pod that is gone', async () => {
    await authenticate();
    authenticator.revoke('u');
    await authenticate();
    expect(reviews).toBe(2);
  });

  test('keeps a bounded number of outcomes', async () => {
    for (let index = 0; index < 10; index++) {
      await authenticate('10.0.0.1', token({ jti: String(index) }));
    }
    await authenticate('10.0.0.1', token({ jti: '9' }));
    expect(reviews).toBe(10);
    await authenticate('10.0.0.1', token({ jti: '0' }));
    expect(reviews).toBe(11);
  });

  test('says at once that a pod is gone, though the API server still takes its token', async () => {
    await authenticate();
    pod = undefined;
    authenticator.revoke('u');
    await expect(authenticate()).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: 'pod shop/p is gone',
    });
  });

  test('refuses a pod without a sidecar, addresses or not', async () => {
    for (const ips of [POD.ips, []]) {
      pod = { ...POD, ips, problem: 'runs no sidecar of the mesh, so there is nothing to give it' };
      await expect(authenticate()).rejects.toMatchObject({
        code: status.PERMISSION_DENIED,
        details: expect.stringMatching(/^pod shop\/p runs no sidecar of the mesh/),
      });
    }
  });

  test('says that a pod is not known yet, or has no address yet, as something that passes', async () => {
    pod = undefined;
    await expect(authenticate()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    pod = { ...POD, ips: [] };
    await expect(authenticate()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});
