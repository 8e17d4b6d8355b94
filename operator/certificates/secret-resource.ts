import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import {
  type Secret,
  SecretSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import { SECRET_TYPE, type XdsResource } from '../xds/resource.ts';
import type { IssuedCertificate } from './authority.ts';

const inline = (text: string) => ({ specifier: { case: 'inlineString' as const, value: text } });

/** The workload's certificate and key, as the SDS Secret `default`. The version says trust generation, expiry and serial. */
export function translateWorkloadSecret(certificate: IssuedCertificate): XdsResource {
  const { generation, expiresAt, serialNumber, chain, privateKey } = certificate;
  const secret = create(SecretSchema, {
    name: WORKLOAD_SECRET,
    type: { case: 'tlsCertificate', value: { certificateChain: inline(chain), privateKey: inline(privateKey) } },
  });
  return encode(secret, `${generation}.${Math.floor(expiresAt / 1000)}.${serialNumber}`);
}

/** What the version of a workload's certificate says, in ms since 1970; undefined for any other text. */
export function readWorkloadVersion(
  version: string,
): { readonly generation: string; readonly expiresAt: number } | undefined {
  const [, generation, seconds] = /^([0-9a-f]+)\.(\d{1,12})\.[0-9a-f]+$/.exec(version) ?? [];
  return generation === undefined ? undefined : { generation, expiresAt: Number(seconds) * 1000 };
}

/** The trust bundle (PEM), as the SDS Secret `ROOTCA`; equal bundles have equal versions on every replica. */
export function translateTrustSecret(bundle: string): XdsResource {
  const secret = create(SecretSchema, {
    name: ROOT_SECRET,
    type: { case: 'validationContext', value: { trustedCa: inline(bundle) } },
  });
  return encode(secret, trustVersion(bundle));
}

/** Version of `ROOTCA` for a bundle (PEM). */
export function trustVersion(bundle: string): string {
  return hash(bundle);
}

/** Certificate chain and key of a user's Secret (PEM), as an SDS secret of that name. */
export function translateCredentialCertificate(name: string, chain: string, privateKey: string): XdsResource {
  const value = { certificateChain: inline(chain), privateKey: inline(privateKey) };
  // The chain stands for its key: versions are told to whom the key is not.
  return encode(create(SecretSchema, { name, type: { case: 'tlsCertificate', value } }), hash(chain));
}

/** Authorities of a user's Secret or ConfigMap (PEM), with the certificates they revoked, as an SDS secret of that name. */
export function translateCredentialRoots(name: string, bundle: string, crl: string | undefined): XdsResource {
  const value = { trustedCa: inline(bundle), ...(crl === undefined ? {} : { crl: inline(crl) }) };
  return encode(
    create(SecretSchema, { name, type: { case: 'validationContext', value } }),
    hash(`${bundle}${crl ?? ''}`),
  );
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function encode(secret: Secret, version: string): XdsResource {
  const resource = anyPack(SecretSchema, secret);
  const bytes = toBinary(ResourceSchema, create(ResourceSchema, { name: secret.name, version, resource }));
  return { typeUrl: SECRET_TYPE, name: secret.name, version, bytes };
}
