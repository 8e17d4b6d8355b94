import { X509Certificate } from 'node:crypto';
import { SECRET } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import type { CaSecret } from '../../../operator/certificates/ca-secret.ts';
import type { TestNamespace } from '../../e2e/support/namespace.ts';

/** The CA in a Secret that cert-manager keeps, PEM. */
export interface KeptCa {
  readonly certificate: string;
  readonly root: string;
  /** DER of the public key, base64. */
  readonly publicKey: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Reads the Secret of a Certificate. @throws {Error} while it is not there */
export async function keptCa(api: KubeApi, namespace: string, name: string): Promise<KeptCa> {
  const { data = {} } = await api.get<CaSecret>(SECRET, { namespace, name });
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const certificate = new X509Certificate(text('tls.crt'));
  const publicKey = certificate.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return { certificate: certificate.toString(), root: new X509Certificate(text('ca.crt')).toString(), publicKey };
}

/** Has cert-manager issue a Certificate again, as `cmctl renew` does. */
export async function renew(namespace: TestNamespace, name: string): Promise<void> {
  const issuing = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'a test asks for it',
    lastTransitionTime: new Date().toISOString(),
  };
  const { status } = JSON.parse(await namespace.run('get', 'certificate', name, '-o', 'json')) as {
    readonly status: { readonly conditions: readonly Condition[] };
  };
  const conditions = [...status.conditions.filter(({ type }) => type !== 'Issuing'), issuing];
  const patch = JSON.stringify({ status: { conditions } });
  await namespace.run('patch', 'certificate', name, '--subresource=status', '--type=merge', '-p', patch);
}
