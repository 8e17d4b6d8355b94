import type { ControlPlaneView, ProxiesView } from '../../api/view/control-plane-view.ts';
import { CONFIG_MAP, SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { SYSTEM_NAMESPACE, TRUST_CONFIG_MAP, TRUST_PEM_KEY, WEBHOOK_TLS_SECRET } from '../../proxy/names.ts';
import { certificatesIn, type ShownCertificate, shown } from './shown-certificate.ts';

/** What the operator answers (`cli/forward`). */
export interface OperatorView {
  get<T>(path: string): Promise<T>;
}

export interface Collected {
  readonly certificates: readonly ShownCertificate[];
  /** What can't be known, and why, a sentence each. */
  readonly unknown: readonly string[];
}

type DataObject = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** Secrets with certificates, and the keys of these; private keys in them are never looked at. */
const SECRETS: readonly (readonly [secret: string, key: string, name: string])[] = [
  ['heddle-ca', 'ca-cert.pem', 'SIGNER'],
  ['heddle-ca', 'next-ca-cert.pem', 'NEXT'],
  ['heddle-ca', 'previous-ca-cert.pem', 'PREVIOUS'],
  ['cacerts', 'ca-cert.pem', 'CACERTS'],
  ['cacerts', 'tls.crt', 'CACERTS'],
  [WEBHOOK_TLS_SECRET, 'tls.crt', 'WEBHOOK'],
];

/** Certificates of the control plane: roots by a trust ConfigMap, the others by their Secrets, intermediates by the operator. */
export async function controlPlaneCertificates(
  api: Pick<KubeApi, 'get' | 'list'>,
  operator: OperatorView,
): Promise<Collected> {
  const [roots, secrets, own] = await Promise.all([
    attempt('roots', () => readRoots(api)),
    readSecrets(api),
    attempt('intermediates', () => readOperator(operator)),
  ]);
  return merge([roots, secrets, own]);
}

/** Certificates of sidecars, as the operator issued them. @param namespace all when undefined */
export function proxyCertificates(operator: OperatorView, namespace: string | undefined): Promise<Collected> {
  return attempt("sidecars' certificates", async () => {
    const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`;
    const { proxies } = await operator.get<ProxiesView>(`/api/proxies${query}`);
    return proxies.map((proxy) => ({
      name: 'PROXY',
      subject: proxy.identity,
      ...(proxy.certificateNotAfter === undefined ? {} : { notAfter: proxy.certificateNotAfter }),
      source: `${proxy.namespace}/${proxy.pod}`,
    }));
  });
}

async function readRoots(api: Pick<KubeApi, 'list'>): Promise<ShownCertificate[]> {
  const { items } = await api.list<DataObject>(CONFIG_MAP, { fieldSelector: `metadata.name=${TRUST_CONFIG_MAP}` });
  const texts = new Map(
    items.toReversed().map(({ metadata, data }) => [data?.[TRUST_PEM_KEY] ?? '', metadata?.namespace]),
  );
  const found = [...texts].flatMap(([pem, namespace]) =>
    certificatesIn(pem).map((one) => shown(one, 'ROOT', `ConfigMap ${namespace}/${TRUST_CONFIG_MAP}`)),
  );
  return [...new Map(found.map((one) => [`${one.serial} ${one.subject}`, one])).values()];
}

async function readSecrets(api: Pick<KubeApi, 'get'>): Promise<Collected> {
  const names = [...new Set(SECRETS.map(([secret]) => secret))];
  const parts = names.map((name) =>
    attempt(`Secret ${name}`, async () => {
      const { data = {} } = await secretOf(api, name);
      return SECRETS.filter(([secret, key]) => secret === name && data[key] !== undefined).flatMap(([, key, title]) => {
        const pem = Buffer.from(data[key] ?? '', 'base64').toString('utf8');
        return certificatesIn(pem)
          .slice(0, 1)
          .map((one) => shown(one, title, `Secret ${SYSTEM_NAMESPACE}/${name}`));
      });
    }),
  );
  return merge(await Promise.all(parts));
}

async function secretOf(api: Pick<KubeApi, 'get'>, name: string): Promise<DataObject> {
  try {
    return await api.get<DataObject>(SECRET, { namespace: SYSTEM_NAMESPACE, name });
  } catch (error) {
    if (isNotFound(error)) return {};
    throw error;
  }
}

async function readOperator(operator: OperatorView): Promise<ShownCertificate[]> {
  const { certificates } = await operator.get<ControlPlaneView>('/api/control-plane');
  // The others are read where everybody can look for them.
  return certificates
    .filter(({ name }) => name !== 'ROOT' && name !== 'WEBHOOK')
    .map((certificate) => ({ ...certificate, source: 'the operator' }));
}

async function attempt(what: string, read: () => Promise<ShownCertificate[]>): Promise<Collected> {
  try {
    return { certificates: await read(), unknown: [] };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'KubeConnectionError' && what === 'roots') throw error;
    return { certificates: [], unknown: [`${what} can't be seen: ${message}`] };
  }
}

function merge(parts: readonly Collected[]): Collected {
  return {
    certificates: parts.flatMap(({ certificates }) => certificates),
    unknown: parts.flatMap(({ unknown }) => unknown),
  };
}
