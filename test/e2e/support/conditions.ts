import type { Condition } from '../../../api/condition.ts';
import { type WaitOptions, waitUntil } from '../../../hack/mesh/wait.ts';
import type { TestNamespace } from './namespace.ts';

interface Conditioned {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/**
 * Waits for a condition of the newest generation and gives it.
 * @param kind as kubectl takes it, e.g. `virtualservice`
 * @param options 60 s, asked for every 250 ms, unless told
 * @throws {Error} with the conditions that are there, when it does not come
 */
export async function condition(
  space: TestNamespace,
  kind: string,
  name: string,
  type: string,
  status: string,
  options?: WaitOptions,
): Promise<Condition> {
  const find = (object: Conditioned): Condition | undefined =>
    object.status?.conditions?.find(
      (one) => one.type === type && one.status === status && one.observedGeneration === object.metadata.generation,
    );
  const check = (object: Conditioned): string | undefined =>
    find(object) === undefined ? JSON.stringify(object.status?.conditions ?? []) : undefined;
  const found = find(await space.waitFor<Conditioned>(kind, name, check, options));
  if (found === undefined) throw new Error(`${kind} ${name} lost its condition ${type}`);
  return found;
}

/** Like `condition`; gives its message. */
export async function conditionMessage(
  space: TestNamespace,
  kind: string,
  name: string,
  type: string,
  status: string,
): Promise<string> {
  return (await condition(space, kind, name, type, status)).message;
}

/** Waits until an object, as it is now, is in force on all proxies it is for, and gives the message of `Programmed`. */
export function programmed(space: TestNamespace, kind: string, name: string): Promise<string> {
  return conditionMessage(space, kind, name, 'Programmed', 'True');
}

/**
 * Waits until an object, as it is now, is in force on so many proxies. While some of them go from one replica of the operator to another, it is for
 * a moment in force on all that there are, and these are fewer.
 */
export async function inForceOn(space: TestNamespace, kind: string, name: string, proxies: number): Promise<void> {
  const wanted = `in force on ${proxies} of ${proxies} proxies`;
  await waitUntil(`${kind} ${name} ${wanted}`, async () => {
    const message = await programmed(space, kind, name);
    return message === wanted ? undefined : message;
  });
}
