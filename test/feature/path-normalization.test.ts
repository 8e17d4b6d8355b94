import { afterAll, describe, expect, test } from '@jest/globals';
import type { PathNormalization } from '../../api/mesh-config.ts';
import { authorizationPolicy } from '../../operator/mesh/testing/objects.ts';
import { AuthorizationWorld, send } from './support/authorization-world.ts';

/** What a policy that denies `/a/b` is about, and what the application gets, by how far the mesh normalises paths. */

const CALLER = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };
const worlds: AuthorizationWorld[] = [];

afterAll(async () => {
  for (const world of worlds) await world.stop();
});

const DENIED = 'denied';
/** Of each way a path is sent: what the application gets. */
const EXPECTED: Readonly<Record<Exclude<PathNormalization, 'DEFAULT'>, Readonly<Record<string, string>>>> = {
  BASE: {
    '/a/b': DENIED,
    '/x/..\\a/%62': DENIED,
    '/a//b': '/a//b',
    '/a%2Fb': '/a%2Fb',
    '/a%5cb': '/a%5cb',
    '/a/b%2F%2fc': '/a/b%2F%2fc',
  },
  MERGE_SLASHES: {
    '/a/b': DENIED,
    '//a///b': DENIED,
    '/a%2Fb': '/a%2Fb',
    '/a//b%2Fc': '/a/b%2Fc',
  },
  DECODE_AND_MERGE_SLASHES: {
    '/a/b': DENIED,
    '//a///b': DENIED,
    '/a%2Fb': DENIED,
    '/a%5C%2fb': DENIED,
    '/x%2F..%2fa/b': DENIED,
    '/x/%2e%2e;%2Fa/b': DENIED,
    '/a/b%2F%2fc': '/a/b/c',
    '/a%252Fb': '/a%252Fb',
  },
};

describe.each(Object.entries(EXPECTED))('with %s', (normalization, expected) => {
  test('a policy sees the paths that the application gets', async () => {
    const world = new AuthorizationWorld({ pathNormalization: { normalization: normalization as PathNormalization } });
    worlds.push(world);
    await world.start({ http: 1, auto: 0, tcp: 0, other: 0 }, []);
    const rules = [{ to: [{ operation: { paths: ['/a/b'] } }] }];
    await world.enforce([authorizationPolicy('shop/no-b', { action: 'DENY', rules })], 0);
    const [port] = world.called;
    if (port === undefined) throw new Error('there is a port');
    const got: Record<string, string> = {};
    for (const target of Object.keys(expected)) {
      const line = await world.connect(CALLER, port, 'HTTP/1.1');
      const { status } = await send(
        line,
        { protocol: 'HTTP/1.1', method: 'GET', target, headers: [['host', 'x']] },
        target,
      );
      line.close();
      const [received] = world.received.get(target) ?? [];
      got[target] = status === 403 ? DENIED : (received?.target ?? `${status}`);
    }
    expect(got).toEqual(expected);
  }, 60_000);
});
