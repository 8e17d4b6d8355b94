import { CONFIG_MAP, SECRET, SUBJECT_ACCESS_REVIEW } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isKubeError, isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { OPERATOR_SERVICE } from '../../proxy/names.ts';
import type { XdsResource } from '../xds/resource.ts';
import { readCredential } from './credential-material.ts';
import type { CredentialName } from './credential-name.ts';

/** A ServiceAccount, for whose proxies a credential is read. */
export interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** What came of reading a credential. */
export type Reading =
  /** `origin` is the same as long as the object it was read from is. */
  | { readonly state: 'served'; readonly resource: XdsResource; readonly origin: string }
  /** Nothing may be served: it is not there, or one of the two may not read it. */
  | { readonly state: 'absent'; readonly problem: string }
  /** It is there and can't be used. */
  | { readonly state: 'malformed'; readonly problem: string };

type Served = Extract<Reading, { state: 'served' }>;

interface Review extends KubeObject {
  spec: object;
  status?: { allowed?: boolean };
}

interface DataObject extends KubeObject {
  data?: Record<string, string> | null;
}

/**
 * Reads credentials by name, one request each. The operator has no right to read Secrets by itself, so that whoever takes it over has none of the
 * cluster's: a namespace grants it the ones it uses. And a proxy is given only what the ServiceAccount of its own pod may get.
 */
export class CredentialReader {
  readonly #api: Pick<KubeApi, 'get' | 'create'>;
  readonly #operator: string;

  /** @param namespace where the operator lives, for messages */
  constructor(api: Pick<KubeApi, 'get' | 'create'>, namespace: string) {
    this.#api = api;
    this.#operator = `${namespace}:${OPERATOR_SERVICE}`;
  }

  /**
   * @param known what was read before; while its object is unchanged it is not read anew
   * @throws {KubeError | KubeConnectionError} when the API server gives no answer to go by
   */
  async read(account: Account, name: CredentialName, known: Served | undefined): Promise<Reading> {
    if (name.kind === 'ConfigMap' && name.part === 'certificate') {
      return { state: 'malformed', problem: `${name.credential} can hold no private key; mode MUTUAL needs a Secret` };
    }
    let problem = '';
    for (const object of name.objects) {
      const found = await this.#find(account, name.kind, object);
      if (typeof found !== 'string') return translate(account, name, found, known);
      // The last is the one that users name.
      problem = found;
    }
    return { state: 'absent', problem };
  }

  /** The object, or why there is none for this account. */
  async #find(account: Account, kind: CredentialName['kind'], name: string): Promise<DataObject | string> {
    const { namespace, serviceAccount } = account;
    const object = `${kind} ${namespace}/${name}`;
    if (!(await this.#mayGet(account, kind, name))) {
      return `ServiceAccount ${namespace}/${serviceAccount} may not get ${object}, ${grant(kind, name, `${namespace}:${serviceAccount}`)}`;
    }
    try {
      return await this.#api.get<DataObject>(kind === 'Secret' ? SECRET : CONFIG_MAP, { namespace, name });
    } catch (error) {
      if (isNotFound(error)) return `${object} is not there; create it in the namespace of the client`;
      if (isKubeError(error, 403)) return `Heddle may not get ${object}, ${grant(kind, name, this.#operator)}`;
      throw error;
    }
  }

  async #mayGet({ namespace, serviceAccount }: Account, kind: CredentialName['kind'], name: string): Promise<boolean> {
    const resource = kind === 'Secret' ? SECRET.plural : CONFIG_MAP.plural;
    const { status } = await this.#api.create<Review>(SUBJECT_ACCESS_REVIEW, {
      spec: {
        user: `system:serviceaccount:${namespace}:${serviceAccount}`,
        // What the API server puts a ServiceAccount into by itself; a review has to be told.
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes: { namespace, verb: 'get', group: '', version: 'v1', resource, name },
      },
    });
    return status?.allowed === true;
  }
}

function grant(kind: CredentialName['kind'], name: string, account: string): string {
  const plural = kind === 'Secret' ? SECRET.plural : CONFIG_MAP.plural;
  return `so it is not served; let it by a Role (verb get, resource ${plural}, resourceNames ["${name}"]) and a RoleBinding to ServiceAccount ${account}`;
}

function translate(
  { namespace }: Account,
  name: CredentialName,
  { metadata, data }: DataObject,
  known: Served | undefined,
): Reading {
  const origin = `${metadata?.uid}/${metadata?.resourceVersion}`;
  if (known?.origin === origin) return known;
  const decode = (text: string): string =>
    name.kind === 'Secret' ? Buffer.from(text, 'base64').toString() : String(text);
  const texts = new Map(Object.entries(data ?? {}).map(([key, text]) => [key, decode(text)]));
  try {
    const resource = readCredential(name, `${name.kind} ${namespace}/${metadata?.name}`, texts);
    return { state: 'served', resource, origin };
  } catch (error) {
    return { state: 'malformed', problem: error instanceof Error ? error.message : String(error) };
  }
}
