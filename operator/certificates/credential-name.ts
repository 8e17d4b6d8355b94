/** What a proxy asks for by the name of an SDS secret: one part of what `credentialName` of a DestinationRule stands for. */
export interface CredentialName {
  /** The SDS secret's name, as asked. */
  readonly secret: string;
  /** The credential it belongs to, in the form `kubernetes://NAME` or `configmap://NAME`. */
  readonly credential: string;
  readonly part: 'certificate' | 'roots';
  readonly kind: 'Secret' | 'ConfigMap';
  /** Names of the objects that may hold it; the first that is there counts. */
  readonly objects: readonly string[];
}

/** What Istio appends to a Secret's name for a companion that holds the authorities, and to the SDS secret's name for that part. */
const ROOTS_SUFFIX = '-cacert';
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME = 253;
const KINDS: ReadonlyMap<string, CredentialName['kind']> = new Map([
  ['kubernetes', 'Secret'],
  ['configmap', 'ConfigMap'],
]);

/**
 * Reads the name of an SDS secret: `kubernetes://NAME` (certificate and key), `kubernetes://NAME-cacert` and `configmap://NAME-cacert`
 * (authorities), and `configmap://NAME`, which nothing can serve.
 *
 * @returns undefined when it is none of these, or NAME cannot be that of an object of Kubernetes (so it names no other namespace)
 */
export function parseCredentialName(secret: string): CredentialName | undefined {
  const [scheme = '', ...rest] = secret.split('://');
  const kind = KINDS.get(scheme);
  const path = rest.join('://');
  if (kind === undefined || path.length > MAX_NAME + ROOTS_SUFFIX.length) return undefined;
  const part = path.endsWith(ROOTS_SUFFIX) ? 'roots' : 'certificate';
  const name = part === 'roots' ? path.slice(0, -ROOTS_SUFFIX.length) : path;
  if (name.length > MAX_NAME || !DNS_SUBDOMAIN.test(name)) return undefined;
  const companion = `${name}${ROOTS_SUFFIX}`;
  const hasCompanion = kind === 'Secret' && part === 'roots' && companion.length <= MAX_NAME;
  return { secret, credential: `${scheme}://${name}`, part, kind, objects: hasCompanion ? [companion, name] : [name] };
}

/** The credential that a DestinationRule's `credentialName` means, in the form of `CredentialName.credential`. */
export function credentialOf(credentialName: string): string {
  return credentialName.includes('://') ? credentialName : `kubernetes://${credentialName}`;
}
