import { jwksSourceOf } from '../../api/jwks-source.ts';
import type { RequestAuthentication } from '../../api/request-authentication.ts';
import { judgeRequestAuthentication } from '../../api/request-authentication-judgement.ts';
import type { ReadStore } from '../../kube/store.ts';
import type { KeyFetcher } from './key-fetcher.ts';

/** Which namespaces the mesh consists of; of others nothing is fetched. */
interface Discovery {
  has(namespace: string): boolean;
  onSwitch(listener: (namespace: string) => void): void;
}

/** Has the keys fetched that RequestAuthentications ask for, from now on. */
export function fetchWantedKeys(
  policies: Pick<ReadStore<RequestAuthentication>, 'keys' | 'get' | 'onChange'>,
  discovery: Discovery,
  fetcher: Pick<KeyFetcher, 'want' | 'forget'>,
): void {
  /** By policy: how long it would wait for its keys, by their URI. */
  const wanted = new Map<string, ReadonlyMap<string, number>>();
  /** Policies that want the keys at a URI. */
  const users = new Map<string, Set<string>>();
  const judge = (key: string): void => {
    const old = wanted.get(key) ?? new Map<string, number>();
    const [namespace = ''] = key.split('/');
    const fresh = discovery.has(namespace) ? urisOf(policies.get(key)) : new Map<string, number>();
    wanted.set(key, fresh);
    if (fresh.size === 0) wanted.delete(key);
    for (const uri of old.keys()) if (!fresh.has(uri)) users.get(uri)?.delete(key);
    for (const uri of fresh.keys()) users.set(uri, (users.get(uri) ?? new Set()).add(key));
    for (const uri of new Set([...old.keys(), ...fresh.keys()])) {
      const timeouts = [...(users.get(uri) ?? [])].map((user) => wanted.get(user)?.get(uri) ?? 0);
      if (timeouts.length > 0) fetcher.want(uri, Math.max(...timeouts));
      else {
        users.delete(uri);
        fetcher.forget(uri);
      }
    }
  };
  for (const key of policies.keys()) judge(key);
  policies.onChange(({ key }) => judge(key));
  discovery.onSwitch((namespace) => {
    for (const key of policies.keys()) if (key.startsWith(`${namespace}/`)) judge(key);
  });
}

/** Where a policy's keys are, and how long fetching may take; of one that can't be right nowhere. */
function urisOf(policy: RequestAuthentication | undefined): Map<string, number> {
  const uris = new Map<string, number>();
  const { spec } = judgeRequestAuthentication(policy?.spec);
  for (const rule of spec?.jwtRules ?? []) {
    const source = jwksSourceOf(rule);
    if (source.kind === 'uri') uris.set(source.uri, Math.max(source.timeoutMs, uris.get(source.uri) ?? 0));
  }
  return uris;
}
