import { describe, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import { COMMAND_ANNOTATION } from '../../api/canary-command.ts';
import { CANARY } from '../../kube/kinds.ts';
import { KubeError } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { commandOf, removeCommand } from './command-annotation.ts';
import { writeStatus } from './effects.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf } from './observation.fixture.ts';
import { nextStatus } from './phase-machine.ts';

const name = { name: 'ordering', namespace: 'shop' };
/** Server-side apply takes away what its manager leaves out, also deep inside. */
class StatusApi extends MemoryApi {
  override async apply<T extends KubeObject>(kind: ResourceKind, object: T): Promise<T> {
    const present = await this.get<T>(kind, name);
    const { status } = object as T & { status?: object };
    return this.update(kind, { ...present, status });
  }
}

const target = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4)));

/** One look of an operator that may die at a write: all it knows is what the API server has. */
async function look(api: MemoryApi, seconds: number): Promise<readonly string[]> {
  const canary = await api.get<Canary>(CANARY, name);
  const now = Date.UTC(2026, 0, 1) + seconds * 1000;
  const { status, events } = nextStatus(canary.status, observationOf(target, { now, command: commandOf(canary) }));
  const written = await writeStatus(api, canary, status);
  await removeCommand(api, written);
  return events.map(({ reason }) => reason);
}

async function begun(): Promise<MemoryApi> {
  const api = new StatusApi();
  const atRest = nextStatus(undefined, observationOf(targetOf())).status;
  const metadata = { ...name, generation: 1 };
  await api.create<Canary>(CANARY, {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata,
    spec: specOf(),
    status: atRest,
  });
  await look(api, 0);
  return api;
}

async function command(api: MemoryApi, value: string): Promise<void> {
  await api.patch(CANARY, name, 'merge', { metadata: { annotations: { [COMMAND_ANNOTATION]: value } } });
}

describe('a command', () => {
  test('is answered in the status first, and then its annotation goes', async () => {
    const api = await begun();
    await command(api, 'abort');
    api.writes.length = 0;
    await look(api, 1);
    expect(api.writes).toEqual(['update Canary shop/ordering', 'patch Canary shop/ordering']);
    const canary = await api.get<Canary>(CANARY, name);
    expect(commandOf(canary)).toBeUndefined();
    expect(canary.status).toMatchObject({ phase: 'Failed', command: { result: 'Done' } });
  });

  test.each(['update', 'patch'])('is carried out once when the operator dies at the %s', async (verb) => {
    const api = await begun();
    await command(api, 'retry');
    await look(api, 1);
    await command(api, 'abort');
    await look(api, 2);
    await look(api, 3);
    await command(api, 'retry');
    let deaths = 1;
    api.fail = (written) =>
      written === verb && deaths-- > 0 ? new KubeError(503, 'ServiceUnavailable', 'dead') : undefined;
    await expect(look(api, 4)).rejects.toThrow('dead');
    const reasons = [...(await look(api, 5)), ...(await look(api, 6)), ...(await look(api, 7))];
    // It was begun anew by the look that died after its status was written, or by the one that followed.
    expect(reasons.filter((reason) => reason === 'NewRevision')).toHaveLength(verb === 'update' ? 1 : 0);
    const canary = await api.get<Canary>(CANARY, name);
    expect(commandOf(canary)).toBeUndefined();
    expect(canary.status).toMatchObject({
      phase: 'Progressing',
      command: { value: 'retry', result: 'Done', removed: true },
    });
  });

  test('whose annotation was changed before it could be taken away stays', async () => {
    const api = await begun();
    await command(api, 'pause');
    const canary = await api.get<Canary>(CANARY, name);
    const { status } = nextStatus(canary.status, observationOf(target, { command: 'pause' }));
    // Of the same words, but given anew.
    await command(api, 'pause');
    expect(await removeCommand(api, { ...canary, status })).toBeUndefined();
    expect(commandOf(await api.get<Canary>(CANARY, name))).toBe('pause');
  });
});
