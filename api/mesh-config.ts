import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { checkDefaultProviders, defaultProviders } from './default-providers.ts';
import { duration } from './duration.ts';
import { extensionProviders } from './extension-provider.ts';
import { isSubnet } from './field-check.ts';
import { labelSelector } from './label-selector.ts';

const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, 'must be a DNS name in lower case');
const image = z.string().min(1).max(512);
const quantity = z
  .string()
  .regex(/^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$/, 'must be a quantity such as "100m" or "64Mi"');

/** What sidecars are sent of clusters. */
export const configurationLoading = z.enum(['eager', 'on-demand']);
export type ConfigurationLoading = z.infer<typeof configurationLoading>;

/** The oldest version of TLS that may be spoken, in Istio's words. */
export const tlsVersion = z.enum(['TLSV1_2', 'TLSV1_3']);
export type TlsVersion = z.infer<typeof tlsVersion>;

/** How far paths are normalised before anything looks at them, in Istio's words; `DEFAULT` is `BASE`. Its `NONE` would let everybody walk around policies. */
export const pathNormalization = z.enum(['DEFAULT', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']);
export type PathNormalization = z.infer<typeof pathNormalization>;

const proxySettings = z.strictObject({
  /** Stock Envoy. */
  image: image.default('envoyproxy/envoy:v1.40.0'),
  /** Holds the program of the init container that loads the redirect rules. */
  initImage: image.default('heddle/heddle:dev'),
  cpu: quantity.default('50m'),
  memory: quantity.default('96Mi'),
  cpuLimit: quantity.optional(),
  memoryLimit: quantity.optional(),
  /** Whether sidecars answer DNS questions for hosts of ServiceEntries; the pod annotation `heddle.dev/dns-capture` decides over it. */
  dnsCapture: z.boolean().default(false),
  /**
   * Whether sidecars are sent all clusters and virtual hosts that they see, or each at the first request or connection that goes there; the pod annotation
   * `heddle.dev/configuration-loading` decides over it.
   */
  configurationLoading: configurationLoading.default('on-demand'),
  /**
   * Addresses that the network may put in place of pods' own where these connect to the operator, besides those of its node and of that node's pod range. A
   * sidecar's token is refused from anywhere else.
   */
  natAddresses: z
    .array(z.string().refine(isSubnet, 'must be an address or a block such as "10.20.0.0/16"'))
    .max(100)
    .default([]),
  logLevel: z.enum(['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off']).default('warning'),
});

/** Where the operator may reach out to because some object says so. */
const outwardSettings = z.strictObject({
  /** Addresses that are allowed although they are of this machine, of its link, or those at which clouds serve secrets. */
  allowedAddresses: z
    .array(z.string().refine(isSubnet, 'must be an address or a block such as "169.254.10.0/24"'))
    .default([]),
  /** Authorities that servers may have their certificates from, in PEM, besides those that everybody trusts (Istio: `jwksResolverExtraRootCA`). */
  extraRootCA: z
    .string()
    .max(262_144)
    .refine((text) => text.trim() === '' || areCertificates(text), 'must be certificates of authorities in PEM')
    .transform((text) => text.trim())
    .default(''),
});

/** Where counts of global rate limits are kept: a Redis or a Valkey. */
const redisSettings = z.strictObject({
  url: z
    .string()
    .max(512)
    .refine(
      isRedisUrl,
      'must be a URL such as "redis://redis.infra.svc:6379/0", or "rediss://" for TLS, without a password',
    ),
  /** Secret in the operator's namespace with its `password`, and `username` where there is one. */
  passwordSecret: dnsName.optional(),
  /** How long an answer may take; then it is for each policy's failureMode to say what becomes of the request. */
  timeout: duration.default('200ms'),
});

/** What the operator remembers for its page and command line. */
const dashboardSettings = z.strictObject({
  /** How long it remembers who called whom; without meaning where a Prometheus is asked. */
  historyMinutes: z.int().min(5).max(1440).default(60),
});

/** A Prometheus that scrapes the sidecars: the page and the command line read it then, and the operator remembers no calls itself. */
const prometheusSettings = z.strictObject({
  url: z
    .string()
    .max(512)
    .refine(isHttpUrl, 'must be a URL such as "http://prometheus.monitoring.svc:9090", without a password')
    .transform((url) => url.replace(/\/+$/, '')),
  /** Secret in the operator's namespace with `username` and `password`, where it asks for them. */
  passwordSecret: dnsName.optional(),
  /** How long an answer may take; then what it would have told is unknown. */
  timeout: duration.default('5s'),
});

const certificateSettings = z.strictObject({
  rootLifetime: duration.default('87600h'),
  intermediateLifetime: duration.default('2160h'),
  workloadLifetime: duration.default('24h'),
  webhookLifetime: duration.default('2160h'),
  /** Serving certificate of the xDS port. */
  xdsLifetime: duration.default('2160h'),
  /** How long kubelets may take to bring a changed trust bundle into every pod; a rotation of the root waits for it. */
  trustPropagation: duration.default('150s'),
  /** By how much certificates are backdated, so that a clock that is off refuses nothing. */
  backdate: duration.default('65m'),
});

const settings = z.strictObject({
  trustDomain: dnsName.default('cluster.local'),
  clusterDomain: dnsName.default('cluster.local'),
  rootNamespace: dnsName.default('heddle-system'),
  /** What becomes of connections to hosts that the mesh does not know; a Sidecar decides over it. */
  outboundTrafficPolicy: z
    .strictObject({ mode: z.enum(['ALLOW_ANY', 'REGISTRY_ONLY']).default('ALLOW_ANY') })
    .prefault({}),
  /** Of mutual TLS between sidecars, on both sides (Istio has it for servers, and TLSV1_2 unless told otherwise). */
  meshMTLS: z.strictObject({ minProtocolVersion: tlsVersion.default('TLSV1_3') }).prefault({}),
  pathNormalization: z.strictObject({ normalization: pathNormalization.default('BASE') }).prefault({}),
  /** Namespaces that the mesh consists of: those that one of these selects; all, when there is none (`discovery.ts`). */
  discoverySelectors: z.array(labelSelector).default([]),
  proxy: proxySettings.prefault({}),
  certificates: certificateSettings.prefault({}),
  /** Where keys of tokens (`jwksUri` of RequestAuthentications) may be fetched. */
  jwks: outwardSettings.prefault({}),
  /** Where providers of MetricTemplates may be asked. */
  metrics: outwardSettings.prefault({}),
  /** Absent: counts of global rate limits are kept in the operator's memory. */
  redis: redisSettings.optional(),
  dashboard: dashboardSettings.prefault({}),
  /** Absent: the operator remembers what sidecars count by itself, for as long as `dashboard` says. */
  prometheus: prometheusSettings.optional(),
  /** Whom AuthorizationPolicies with action CUSTOM may ask, and whom Telemetry resources may tell. */
  extensionProviders,
  /** Who is told where no Telemetry says who. */
  defaultProviders,
});

/** The mesh's settings: `mesh.yaml` in the ConfigMap `heddle-mesh`. */
export const meshConfig = settings.superRefine(({ defaultProviders: named, extensionProviders: providers }, context) =>
  checkDefaultProviders(named, providers, context),
);

export type MeshConfig = z.output<typeof meshConfig>;

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

function isRedisUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') return false;
  return url.username === '' && url.password === '' && /^(?:\/[0-9]{0,3})?$/.test(url.pathname);
}

/**
 * Reads the mesh's settings.
 * @param text YAML; what it leaves out has the default
 * @throws {Error} naming every field that is wrong, and what it must be
 */
export function readMeshConfig(text: string): MeshConfig {
  const result = meshConfig.safeParse(parse(text) ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'mesh.yaml'}: ${message}`);
  throw new Error(`mesh settings: ${problems.join('; ')}`);
}

function areCertificates(text: string): boolean {
  const blocks = text
    .trim()
    .split(/(?<=-----END CERTIFICATE-----)\s*/)
    .filter((block) => block !== '');
  return blocks.every((block) => {
    try {
      return new X509Certificate(block).ca;
    } catch {
      return false;
    }
  });
}
