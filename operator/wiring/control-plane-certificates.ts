import { X509Certificate } from 'node:crypto';
import type { CertificateView } from '../../api/view/control-plane-view.ts';
import { SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { KubeObject } from '../../kube/object.ts';
import { WEBHOOK_TLS_SECRET } from '../../proxy/names.ts';
import type { Certificates } from '../certificates/start.ts';

/** The webhook's certificate is read again after so long, in ms. */
const FRESH_MS = 60_000;

type Named = readonly [name: string, certificate: X509Certificate];

/** The certificates that the mesh's trust and its control plane rest on. */
export class ControlPlaneCertificates {
  readonly #certificates: Pick<Certificates, 'authority' | 'server'>;
  readonly #api: Pick<KubeApi, 'get'>;
  readonly #namespace: string;
  #webhook: { readonly until: number; readonly found: Promise<readonly Named[]> } | undefined;

  /** @param namespace of the operator */
  constructor(certificates: Pick<Certificates, 'authority' | 'server'>, api: Pick<KubeApi, 'get'>, namespace: string) {
    this.#certificates = certificates;
    this.#api = api;
    this.#namespace = namespace;
  }

  /** Those that are known at present. */
  async views(): Promise<CertificateView[]> {
    const { authority, server } = this.#certificates;
    const { state } = authority;
    const roots: Named[] = [
      ...(state?.anchors ?? []).map((one): Named => ['ROOT', one]),
      ...(state?.next?.anchors ?? []).map((one): Named => ['NEXT ROOT', one]),
      ...(state?.previous?.anchors ?? []).map((one): Named => ['PREVIOUS ROOT', one]),
    ];
    const [xds, ...issuers] = readChain(server.current?.cert ?? '');
    const chain: Named[] =
      xds === undefined ? [] : [...issuers.map((one): Named => ['INTERMEDIATE', one]), ['XDS', xds]];
    return [...roots, ...chain, ...(await this.#ofWebhook())].map(viewOf);
  }

  #ofWebhook(): Promise<readonly Named[]> {
    const now = performance.now();
    if (this.#webhook === undefined || now >= this.#webhook.until) {
      const found = this.#readWebhook().catch(() => []);
      this.#webhook = { until: now + FRESH_MS, found };
    }
    return this.#webhook.found;
  }

  async #readWebhook(): Promise<readonly Named[]> {
    const query = { namespace: this.#namespace, name: WEBHOOK_TLS_SECRET };
    const secret = await this.#api.get<KubeObject & { data?: Record<string, string> }>(SECRET, query);
    const [certificate] = readChain(Buffer.from(secret.data?.['tls.crt'] ?? '', 'base64').toString());
    return certificate === undefined ? [] : [['WEBHOOK', certificate]];
  }
}

function readChain(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

function viewOf([name, certificate]: Named): CertificateView {
  return {
    name,
    subject: subjectOf(certificate),
    notBefore: certificate.validFromDate.toISOString(),
    notAfter: certificate.validToDate.toISOString(),
    serial: certificate.serialNumber.toLowerCase(),
  };
}

/** Serving certificates have names in place of a subject; Node gives undefined then, whatever its types say. */
function subjectOf({ subject, subjectAltName }: X509Certificate): string {
  const given = subject as string | undefined;
  return (given ?? subjectAltName ?? '').replaceAll('\n', ', ');
}
