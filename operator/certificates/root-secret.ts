import type { X509Certificate } from 'node:crypto';
import {
  CA_KEYS,
  type CaKeys,
  type CaSecret,
  guarded,
  RootProblem,
  readCertificates,
  readIssuer,
  readSigningRoot,
  readText,
} from './ca-secret.ts';
import { privateKeyPem } from './key-pair.ts';
import { distinctCertificates, joinCertificates } from './pem.ts';
import { ROTATION_PHASES, type RootState, type RotationPhase, type SigningRoot, withRoots } from './root-state.ts';

/** Secret with what signs, whoever made it, and with what a rotation needs to go on or back. */
export const CA_SECRET = 'heddle-ca';

const PHASE_ANNOTATION = 'heddle.dev/rotation-phase';
const SINCE_ANNOTATION = 'heddle.dev/rotation-since';
/** Name and UID of the TrustRotation, `NAME/UID`. */
const ROTATION_ANNOTATION = 'heddle.dev/rotation';
/** Fingerprint of a root that is not rotated to, or from, unasked. */
const DECLINED_ANNOTATION = 'heddle.dev/rotation-declined';
/** Fingerprint of what signed before the last rotation. */
const CAME_FROM_ANNOTATION = 'heddle.dev/rotated-from';
/** For people: when what signs expires. */
const EXPIRY_ANNOTATION = 'heddle.dev/expires-at';

const NEXT = 'next-';
const PREVIOUS = 'previous-';
const ORIGIN = 'ca-origin';
const RETIRED = 'retired-root-cert.pem';

function keysWith(prefix: string): CaKeys {
  const { certificate, key, chain, roots } = CA_KEYS;
  return {
    certificate: prefix + certificate,
    key: prefix + key,
    chain: prefix + chain,
    roots: prefix + roots,
  };
}

/**
 * Reads the Secret `heddle-ca`.
 * @param now milliseconds since 1970
 * @throws {RootProblem} naming the key of the Secret that is missing, malformed or expired
 */
export function readOwnRoot(secret: CaSecret, now: number): RootState {
  return guarded(() => {
    const current = readPart(secret, '', now);
    const annotations = secret.metadata.annotations ?? {};
    const phase = readPhase(annotations[PHASE_ANNOTATION]);
    const [name, uid] = (annotations[ROTATION_ANNOTATION] ?? '').split('/');
    const declined = annotations[DECLINED_ANNOTATION];
    const cameFrom = annotations[CAME_FROM_ANNOTATION];
    const goes = phase === 'Issuing' || phase === 'Aborting' ? readPrevious(secret, now) : undefined;
    return withRoots({
      ...current,
      ...(phase === 'Distributing' && { next: readPart(secret, NEXT, now) }),
      ...(goes && { previous: goes }),
      retired: readRetired(secret, now),
      phase,
      since: readSince(annotations[SINCE_ANNOTATION], now),
      ...(name && uid && { rotation: { name, uid } }),
      ...(cameFrom && { cameFrom }),
      ...(declined && { declined }),
    });
  });
}

/** The Secret's content for a state: `data` in base64 and the annotations; those that are undefined are to go. */
export function renderRoot(state: RootState): {
  readonly data: Record<string, string>;
  readonly annotations: Record<string, string | undefined>;
} {
  const { next, previous, retired, phase, rotation, cameFrom, declined } = state;
  const text = {
    ...renderPart(state, ''),
    ...(next && renderPart(next, NEXT)),
    ...(previous && renderPart(previous, PREVIOUS)),
    ...(retired.length > 0 && { [RETIRED]: joinCertificates(retired) }),
  };
  const encoded = Object.entries(text).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return {
    data: Object.fromEntries(encoded),
    annotations: {
      [PHASE_ANNOTATION]: phase,
      [SINCE_ANNOTATION]: new Date(state.since).toISOString(),
      [ROTATION_ANNOTATION]: rotation && `${rotation.name}/${rotation.uid}`,
      [CAME_FROM_ANNOTATION]: cameFrom,
      [DECLINED_ANNOTATION]: declined,
      [EXPIRY_ANNOTATION]: state.signing.certificate.validToDate.toISOString(),
    },
  };
}

/** Roots of a broken Secret that can still be trusted, so that what they signed goes on being accepted. */
export function salvageRoots(secret: CaSecret, now: number): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (const prefix of ['', PREVIOUS, NEXT]) {
    const { roots, certificate } = keysWith(prefix);
    for (const key of [roots, certificate, ...(prefix === '' ? [RETIRED] : [])]) {
      try {
        found.push(...readCertificates(secret, key));
      } catch {
        // Broken, which is why we are here.
      }
    }
  }
  return distinctCertificates(
    found.filter((root) => root.ca && root.validToDate.getTime() > now && isSelfSigned(root)),
  );
}

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

function readPart(secret: CaSecret, prefix: string, now: number): SigningRoot {
  const keys = keysWith(prefix);
  if (readText(secret, prefix + ORIGIN) === 'cacerts') return readSigningRoot(secret, keys, 'cacerts', now);
  const signing = readIssuer(secret, keys, now);
  return { signing, chain: [], origin: 'Heddle', anchors: [signing.certificate] };
}

/** What signed before may have expired meanwhile: then nothing of it is needed any more. */
function readPrevious(secret: CaSecret, now: number): SigningRoot | undefined {
  if (!readText(secret, keysWith(PREVIOUS).certificate)) return undefined;
  try {
    return readPart(secret, PREVIOUS, now);
  } catch (error) {
    if (error instanceof RootProblem && error.reason === 'Expired') return undefined;
    throw error;
  }
}

function readRetired(secret: CaSecret, now: number): X509Certificate[] {
  const found = readText(secret, RETIRED) ? readCertificates(secret, RETIRED) : [];
  return found.filter((root) => root.validToDate.getTime() > now);
}

function renderPart({ signing, chain, anchors, origin }: SigningRoot, prefix: string): Record<string, string> {
  const keys = keysWith(prefix);
  return {
    [keys.certificate]: signing.certificate.toString(),
    [keys.key]: privateKeyPem(signing.privateKey),
    [keys.chain]: joinCertificates(chain),
    [keys.roots]: joinCertificates(anchors),
    [prefix + ORIGIN]: origin,
  };
}

function readPhase(text: string | undefined): RotationPhase {
  return ROTATION_PHASES.find((phase) => phase === text) ?? 'Stable';
}

function readSince(text: string | undefined, now: number): number {
  const since = Date.parse(text ?? '');
  // Unreadable or in the future: wait the whole phase again rather than cut it short.
  return Number.isNaN(since) ? now : Math.min(since, now);
}
