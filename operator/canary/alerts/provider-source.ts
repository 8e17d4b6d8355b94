import { type AlertProvider, type AlertProviderSpec, alertProviderSpec } from '../../../api/alert-provider.ts';
import { ALERT_PROVIDER, SECRET } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { isKubeError, isNotFound } from '../../../kube/kube-error.ts';
import type { KubeObject } from '../../../kube/object.ts';

/** A provider and where it is; the address is a secret and stands in no message. */
export interface FoundProvider {
  readonly provider: AlertProvider;
  readonly spec: AlertProviderSpec;
  readonly address: string;
}

/** Why nothing can be sent, in words for a person. */
export class ProviderError extends Error {
  readonly reason: string;
  readonly provider: AlertProvider | undefined;

  constructor(reason: string, message: string, provider?: AlertProvider) {
    super(message);
    this.reason = reason;
    this.provider = provider;
  }
}

type Secret = KubeObject & { data?: Record<string, string> };

/**
 * Looks a provider up, and its address, which may be in a Secret.
 * @throws {ProviderError} naming what is missing and how to mend it
 */
export async function findProvider(api: Pick<KubeApi, 'get'>, namespace: string, name: string): Promise<FoundProvider> {
  const provider = await api.get<AlertProvider>(ALERT_PROVIDER, { namespace, name }).catch((error: unknown) => {
    if (isNotFound(error)) throw new ProviderError('ProviderMissing', `there is no AlertProvider ${namespace}/${name}`);
    throw error;
  });
  const result = alertProviderSpec.safeParse(provider.spec);
  if (!result.success) {
    const [first] = result.error.issues;
    const message = `AlertProvider ${namespace}/${name} is not valid: ${['spec', ...(first?.path ?? [])].join('.')}: ${first?.message}`;
    throw new ProviderError('InvalidSpec', message, provider);
  }
  const spec = result.data;
  const address = spec.address ?? (await readAddress(api, provider, spec.secretRef?.name ?? ''));
  return { provider, spec, address };
}

async function readAddress(api: Pick<KubeApi, 'get'>, provider: AlertProvider, name: string): Promise<string> {
  const { namespace } = provider.metadata;
  const title = `Secret ${namespace}/${name}, which spec.secretRef names,`;
  const secret = await api.get<Secret>(SECRET, { namespace, name }).catch((error: unknown) => {
    if (isNotFound(error)) throw new ProviderError('SecretMissing', `${title} does not exist`, provider);
    if (isKubeError(error, 403)) {
      const remedy = `grant it by a Role (verb get, resource secrets, resourceNames ${name}) bound to ServiceAccount heddle-operator of heddle-system`;
      throw new ProviderError('SecretForbidden', `${title} may not be read by the operator; ${remedy}`, provider);
    }
    throw error;
  });
  const address = Buffer.from(secret.data?.address ?? '', 'base64')
    .toString('utf8')
    .trim();
  if (address === '') throw new ProviderError('SecretInvalid', `${title} has no key address`, provider);
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new ProviderError('SecretInvalid', `key address of ${title} is no URL of http or https`, provider);
  }
  return address;
}
