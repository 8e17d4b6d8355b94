import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { virtualService } from '../../operator/mesh/testing/objects.ts';
import { freePort } from './support/free-port.ts';
import { call } from './support/http-call.ts';
import { addressOf, backedService, type Loading, SidecarOnStream } from './support/sidecar-on-stream.ts';

/** Their virtual hosts are more than fills a response of clusters. */
const SERVICES = 1500;

/** The machine may be busy. */
jest.setTimeout(60_000);

describe.each<Loading>(['eager', 'on-demand'])('a sidecar that loads its configuration %s', (loading) => {
  let port = 0;
  let sidecar: SidecarOnStream;

  beforeAll(async () => {
    port = await freePort();
    sidecar = new SidecarOnStream({ loading, ports: [port], outboundPolicy: 'REGISTRY_ONLY' });
    await sidecar.start(
      Array.from({ length: SERVICES }, (_, number) => [
        ...backedService(`app-${number}`, number + 1, { name: 'http', port, backend: 1 }),
        {
          kind: 'VirtualService' as const,
          object: virtualService(`shop/app-${number}`, {
            hosts: [`app-${number}`],
            http: [{ directResponse: { status: 200, body: { string: `app-${number}` } } }],
          }),
        },
      ]).flat(),
    );
  });

  afterAll(() => sidecar?.stop());

  test('knows every host as soon as it listens', async () => {
    for (const number of [SERVICES - 1, 0, SERVICES / 2]) {
      const name = `app-${number}`;
      const { status, body } = await call({ host: addressOf(1), port, headers: { host: name }, agent: false });
      expect(`${status} ${body}`).toBe(`200 ${name}`);
    }
  });
});
