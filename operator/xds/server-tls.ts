import { create } from '@bufbuild/protobuf';
import { type TransportSocket, TransportSocketSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import {
  type CertificateValidationContext,
  CertificateValidationContextSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import {
  type CommonTlsContext,
  CommonTlsContextSchema,
  UpstreamTlsContextSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { adsSource } from './config-source.ts';
import { milliseconds, pack } from './encoding.ts';
import { buildNameMatcher, buildTlsParameters } from './tls-sockets.ts';

export type ClientTls = NonNullable<TrafficPolicy['tls']>;

/** Certificates of public authorities, where Envoy's image has them. */
export const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';
/** What Istio's `caCertificates` calls them. */
const SYSTEM = 'system';
/** A Secret that is not there must not hold up a sidecar's start. */
const SECRET_WAIT_MS = 2000;

/**
 * TLS to a server outside of the mesh (Istio's modes SIMPLE and MUTUAL). Files are read from the sidecar's own file system, once. Without any the
 * server is verified with the public authorities, as in Istio today.
 *
 * @param names one of which the server's certificate must have; empty: only its authority counts
 * @param alpn protocols to offer; empty: Envoy offers what it is about to speak
 */
export function buildServerTls(tls: ClientTls, names: readonly string[], alpn: readonly string[]): TransportSocket {
  const context = create(UpstreamTlsContextSchema, {
    sni: tls.sni ?? '',
    commonTlsContext: {
      tlsParams: buildTlsParameters('TLSV1_2'),
      alpnProtocols: [...alpn],
      ...ownCertificate(tls),
      validationContextType: validation(tls, names),
    },
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: { case: 'typedConfig', value: pack(UpstreamTlsContextSchema, context) },
  });
}

/**
 * Names of the secrets that hold what `credentialName` stands for: the certificate of our own, and the authorities. Istio's form, so
 * `kubernetes://NAME` and `kubernetes://NAME-cacert`; the Secret is one of the client's own namespace.
 */
export function credentialSecrets(credentialName: string): { readonly certificate: string; readonly roots: string } {
  const certificate = credentialName.includes('://') ? credentialName : `kubernetes://${credentialName}`;
  return { certificate, roots: `${certificate}-cacert` };
}

function ownCertificate(tls: ClientTls) {
  if (tls.mode !== 'MUTUAL') return {};
  if (tls.credentialName) {
    return { tlsCertificateSdsSecretConfigs: [secretReference(credentialSecrets(tls.credentialName).certificate)] };
  }
  return {
    tlsCertificates: [{ certificateChain: file(tls.clientCertificate), privateKey: file(tls.privateKey) }],
  };
}

function validation(tls: ClientTls, names: readonly string[]): CommonTlsContext['validationContextType'] {
  if (tls.insecureSkipVerify) return { case: undefined };
  const matchTypedSubjectAltNames = names.map(buildNameMatcher);
  if (tls.credentialName) {
    const { roots } = credentialSecrets(tls.credentialName);
    const value = {
      defaultValidationContext: { matchTypedSubjectAltNames },
      validationContextSdsSecretConfig: secretReference(roots),
    };
    return create(CommonTlsContextSchema, { validationContextType: { case: 'combinedValidationContext', value } })
      .validationContextType;
  }
  const value: CertificateValidationContext = create(CertificateValidationContextSchema, {
    matchTypedSubjectAltNames,
    trustedCa: file(!tls.caCertificates || tls.caCertificates === SYSTEM ? SYSTEM_ROOTS : tls.caCertificates),
    ...(tls.caCrl ? { crl: file(tls.caCrl) } : {}),
  });
  return { case: 'validationContext', value };
}

function file(path = '') {
  return { specifier: { case: 'filename', value: path } } as const;
}

function secretReference(name: string): SdsSecretConfig {
  const sdsConfig = { ...adsSource(), initialFetchTimeout: milliseconds(SECRET_WAIT_MS) };
  return create(SdsSecretConfigSchema, { name, sdsConfig });
}
