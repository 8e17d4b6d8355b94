import { afterEach, describe, expect, test } from '@jest/globals';
import { CONFIG_MAP, TOKEN_REVIEW } from './kinds.ts';
import type { KubeApi } from './kube-api.ts';
import { KubeConnectionError, KubeError } from './kube-error.ts';
import { type Answer, answerJson, apiFor, FaultServer } from './testing/fault-server.ts';

let server: FaultServer | undefined;
afterEach(() => server?.stop());

async function answering(answer: Answer): Promise<KubeApi> {
  server = new FaultServer(answer);
  return server.start();
}

const name = { namespace: 'shop', name: 'a' };

describe('KubeApi', () => {
  test('gives the reason and code of a Status', async () => {
    const status = { kind: 'Status', code: 409, reason: 'AlreadyExists', message: 'it is there' };
    const api = await answering((_, response) => answerJson(response, status, 409));
    const error = await api.create(CONFIG_MAP, { metadata: name }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: expect.stringContaining('it is there'),
    });
  });

  test('an answer that is no JSON is an error with its text', async () => {
    const api = await answering((_, response) => {
      response.writeHead(502);
      response.end('bad gateway');
    });
    await expect(api.get(CONFIG_MAP, name)).rejects.toMatchObject({
      code: 502,
      message: expect.stringContaining('bad gateway'),
    });
  });

  test('a reset connection is no answer', async () => {
    const api = await answering((_, response) => response.socket?.resetAndDestroy());
    const error = await api.get(CONFIG_MAP, name).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KubeConnectionError);
  });

  test('a kept connection that the server closes in the same moment is no error', async () => {
    let calls = 0;
    const api = await answering((request, response) => {
      if (++calls === 2) request.socket.destroy();
      else answerJson(response, { metadata: {} });
    });
    await api.get(CONFIG_MAP, name);
    await api.get(CONFIG_MAP, name);
    expect(calls).toBe(3);
  });

  test('a refused connection says so', async () => {
    const api = apiFor('http://127.0.0.1:1');
    await expect(api.get(CONFIG_MAP, name)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    api.close();
  });

  test('a slow answer ends at the timeout', async () => {
    const api = await answering(() => {});
    const update = api.update(CONFIG_MAP, { metadata: name }, { timeoutMs: 30 });
    await expect(update).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('an answer that stops in its middle ends at the timeout', async () => {
    const api = await answering((_, response) => {
      response.writeHead(200);
      response.write('{"metadata":');
    });
    const update = api.update(CONFIG_MAP, { metadata: name }, { timeoutMs: 30 });
    await expect(update).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('tries once more after a 401, as the token may have been rotated', async () => {
    let calls = 0;
    const api = await answering((_, response) =>
      ++calls === 1 ? answerJson(response, { kind: 'Status', code: 401 }, 401) : answerJson(response, { metadata: {} }),
    );
    await api.get(CONFIG_MAP, name);
    expect(calls).toBe(2);
  });

  test('applies to a subresource with manager and force', async () => {
    const seen: string[] = [];
    const api = await answering((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['content-type']} ${request.headers.authorization}`);
      answerJson(response, {});
    });
    await api.apply(CONFIG_MAP, { metadata: name }, { fieldManager: 'heddle', subresource: 'status' });
    expect(seen).toEqual([
      'PATCH /api/v1/namespaces/shop/configmaps/a/status?fieldManager=heddle&force=true application/apply-patch+yaml Bearer abc',
    ]);
  });

  test('creates reviews without a name', async () => {
    const api = await answering((_, response) => answerJson(response, { status: { authenticated: true } }));
    const review = await api.create(TOKEN_REVIEW, { metadata: {}, spec: { token: 't' } } as { metadata: object });
    expect(review).toMatchObject({ status: { authenticated: true } });
  });

  test('refuses a name that would leave the path', async () => {
    const api = await answering((_, response) => answerJson(response, {}));
    await api.get(CONFIG_MAP, { namespace: 'shop', name: '../../secrets/x' });
    expect(server?.requests).toEqual(['GET /api/v1/namespaces/shop/configmaps/..%2F..%2Fsecrets%2Fx']);
    expect(() => api.get(CONFIG_MAP, { name: 'a' })).toThrow('metadata.namespace of ConfigMap is missing');
  });

  test('a watch line without end is cut off', async () => {
    const api = await answering((_, response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024, 0x20);
      const more = () => {
        if (!response.destroyed) response.write(chunk, () => setImmediate(more));
      };
      more();
    });
    const read = async () => {
      for await (const event of api.watch(CONFIG_MAP, { resourceVersion: '1' })) expect(event).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ reason: 'LineTooLong' });
  });
});
