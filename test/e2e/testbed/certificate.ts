import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** A certificate and its private key, in PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateWish {
  readonly commonName: string;
  /** Subject alternative names: DNS names, IPv4 addresses, and URIs (what has `://` in it). */
  readonly names?: readonly string[];
  /** Who signs it, with the common name of that certificate; default: itself. */
  readonly issuer?: { readonly commonName: string; readonly key: string };
  /** True: it may sign others. */
  readonly authority?: boolean;
  /** True: it was good until an hour ago. */
  readonly expired?: boolean;
}

const DAY_MS = 86_400_000;

/** Object identifiers, as DER has them. */
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
const BASIC_CONSTRAINTS = '551d13';
const SUBJECT_ALT_NAME = '551d11';
const EXTENDED_KEY_USAGE = '551d25';
const SERVER_AUTH = '2b06010505070301';
const CLIENT_AUTH = '2b06010505070302';

/** Makes an X.509 certificate (RFC 5280) for a new P-256 key, good for servers and clients, from yesterday on for a month unless told. */
export function issueCertificate(wish: CertificateWish): Identity {
  const { commonName, names = [], issuer, authority = false, expired = false } = wish;
  const notAfter = expired ? Date.now() - 3_600_000 : Date.now() + 30 * DAY_MS;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  // A serial number must be positive.
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);
  const extensions = [
    extension(BASIC_CONSTRAINTS, authority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence(), true),
    ...(authority ? [] : [extension(EXTENDED_KEY_USAGE, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH)), false)]),
    ...(names.length === 0 ? [] : [extension(SUBJECT_ALT_NAME, sequence(...names.map(alternativeName)), false)]),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    distinguishedName(issuer?.commonName ?? commonName),
    sequence(time(Date.now() - DAY_MS), time(notAfter)),
    distinguishedName(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]);
  const certificate = sequence(body, algorithm, der(0x03, signature)).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Tag, length and value of X.690. */
function der(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}

const sequence = (...values: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(values));
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));

const distinguishedName = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid(COMMON_NAME), der(0x0c, Buffer.from(commonName)))));

function extension(id: string, value: Buffer, critical: boolean): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function alternativeName(name: string): Buffer {
  if (name.includes('://')) return der(0x86, Buffer.from(name));
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split('.').map(Number)));
  return der(0x82, Buffer.from(name));
}

/** UTCTime: `YYMMDDHHMMSSZ`. */
function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)}Z`));
}
