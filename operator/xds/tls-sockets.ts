import { create } from '@bufbuild/protobuf';
import type { TlsVersion } from '../../api/mesh-config.ts';
import { type TransportSocket, TransportSocketSchema } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { RawBufferSchema } from '../../generated/envoy/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.js';
import {
  CertificateValidationContextSchema,
  type SubjectAltNameMatcher,
  SubjectAltNameMatcher_SanType,
  SubjectAltNameMatcherSchema,
  type TlsParameters,
  TlsParameters_TlsProtocol,
  TlsParametersSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import {
  type CommonTlsContext,
  CommonTlsContext_CombinedCertificateValidationContextSchema,
  CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '../../generated/envoy/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { type StringMatcher, StringMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { MESH_ALPN, ROOT_SECRET, WORKLOAD_SECRET } from '../../proxy/names.ts';
import { adsSource } from './config-source.ts';
import { pack } from './encoding.ts';

/** Endpoint metadata that Envoy holds against `transport_socket_matches`. */
export const SOCKET_MATCH_FILTER = 'envoy.transport_socket_match';
export const SOCKET_MATCH_KEY = 'tlsMode';

/** What the mesh's proxies speak with each other, unless the settings say otherwise: all of them are Envoys, and know it. */
const MESH_TLS: TlsVersion = 'TLSV1_3';
const PROTOCOLS = { TLSV1_2: TlsParameters_TlsProtocol.TLSv1_2, TLSV1_3: TlsParameters_TlsProtocol.TLSv1_3 } as const;

/**
 * The calling side of mesh mTLS: shows the workload's certificate, trusts the mesh's roots, and accepts only the given names (exact), SPIFFE IDs as a rule.
 *
 * @param names at least one, or any workload of the mesh would do
 * @param minTls the oldest version that is offered
 */
export function buildUpstreamTls(
  serverName: string,
  names: readonly string[],
  minTls: TlsVersion = MESH_TLS,
): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: pack(
        UpstreamTlsContextSchema,
        create(UpstreamTlsContextSchema, {
          sni: serverName,
          commonTlsContext: commonContext(names.map(buildNameMatcher), [MESH_ALPN], minTls),
        }),
      ),
    },
  });
}

/**
 * The serving side: requires a certificate of the mesh. No ALPN of its own: if it chose the marker, the connection inside would no longer be
 * sniffed as HTTP/1 or HTTP/2.
 * @param names SPIFFE IDs of which one must be the caller's; without any it may be anybody of the mesh
 * @param minTls the oldest version that is accepted
 */
export function buildDownstreamTls(
  names: readonly StringMatcher[] = [],
  minTls: TlsVersion = MESH_TLS,
): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.tls',
    configType: {
      case: 'typedConfig',
      value: pack(
        DownstreamTlsContextSchema,
        create(DownstreamTlsContextSchema, {
          requireClientCertificate: true,
          commonTlsContext: commonContext(names.map(buildIdentityMatcher), [], minTls),
        }),
      ),
    },
  });
}

export function buildRawBuffer(): TransportSocket {
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.raw_buffer',
    configType: { case: 'typedConfig', value: pack(RawBufferSchema, create(RawBufferSchema)) },
  });
}

/** @param minimum the oldest version; the newest is 1.3 */
export function buildTlsParameters(minimum: TlsVersion): TlsParameters {
  return create(TlsParametersSchema, {
    tlsMinimumProtocolVersion: PROTOCOLS[minimum],
    tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
  });
}

function commonContext(
  matchTypedSubjectAltNames: SubjectAltNameMatcher[],
  alpn: string[],
  minTls: TlsVersion,
): CommonTlsContext {
  return create(CommonTlsContextSchema, {
    tlsParams: buildTlsParameters(minTls),
    tlsCertificateSdsSecretConfigs: [buildSecretReference(WORKLOAD_SECRET)],
    validationContextType: {
      case: 'combinedValidationContext',
      value: create(CommonTlsContext_CombinedCertificateValidationContextSchema, {
        defaultValidationContext: create(CertificateValidationContextSchema, { matchTypedSubjectAltNames }),
        validationContextSdsSecretConfig: buildSecretReference(ROOT_SECRET),
      }),
    },
    alpnProtocols: alpn,
  });
}

/** Matches a name of a certificate exactly; a certificate for `*.example.com` is for each name of that domain. */
export function buildNameMatcher(name: string): SubjectAltNameMatcher {
  return create(SubjectAltNameMatcherSchema, {
    sanType: typeOfName(name),
    matcher: create(StringMatcherSchema, { matchPattern: { case: 'exact', value: name } }),
  });
}

function buildIdentityMatcher(matcher: StringMatcher): SubjectAltNameMatcher {
  return create(SubjectAltNameMatcherSchema, { sanType: SubjectAltNameMatcher_SanType.URI, matcher });
}

function typeOfName(name: string): SubjectAltNameMatcher_SanType {
  if (name.includes('://')) return SubjectAltNameMatcher_SanType.URI;
  if (/^[0-9.]+$/.test(name) || name.includes(':')) return SubjectAltNameMatcher_SanType.IP_ADDRESS;
  return name.includes('@') ? SubjectAltNameMatcher_SanType.EMAIL : SubjectAltNameMatcher_SanType.DNS;
}

function buildSecretReference(name: string): SdsSecretConfig {
  return create(SdsSecretConfigSchema, { name, sdsConfig: adsSource() });
}
