import { expect, test } from '@jest/globals';
import { SECRET_TYPE } from '../xds/resource.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';
import { STREAM_SETTINGS } from './stream-settings.ts';
import { syncOf } from './sync-state.ts';
import { BLANK_REQUEST } from './testing/blank-request.ts';

const PROXY = { uid: 'u', podName: 'p', namespace: 'n', serviceAccount: 's' };
const SILENT = { write: () => undefined, pushed: () => undefined, answered: () => undefined };

test.each([
  ['is there soon is stale, for as long as it is waited for', true, 1],
  ['is good as the proxy has it, from another replica or from before, is not', 'held', 0],
] as const)('what %s', (_, isPending, stale) => {
  const source = {
    typeUrls: [SECRET_TYPE],
    wildcard: () => new Map(),
    lookup: () => undefined,
    isPending: () => isPending,
    onChange: () => () => undefined,
  };
  const stream = new ProxyStream(PROXY, new ResourceRegistry([source]), STREAM_SETTINGS, SILENT);
  const initialVersions = new Map([['default', '1']]);
  stream.receive({ ...BLANK_REQUEST, typeUrl: SECRET_TYPE, subscribe: ['default'], initialVersions });
  const [sync] = syncOf(stream.all());
  expect(sync).toMatchObject({ typeUrl: SECRET_TYPE, held: 1, stale });
  expect(sync?.waitedMs).toEqual(stale === 0 ? 0 : expect.any(Number));
  for (const end = performance.now() + 2; performance.now() < end; );
  const [later] = syncOf(stream.all());
  expect((later?.waitedMs ?? 0) > (sync?.waitedMs ?? 0)).toBe(stale > 0);
});
