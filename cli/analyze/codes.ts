/** How bad a message is, the worst first. */
export const LEVELS = ['Error', 'Warning', 'Info'] as const;
export type Level = (typeof LEVELS)[number];

/** What can be said, by code: Istio's where it has one for it, and ours (`HED`). */
export const CODES = {
  IST0101: { name: 'ReferencedResourceNotFound', level: 'Error' },
  IST0102: { name: 'NamespaceNotInjected', level: 'Info' },
  IST0103: { name: 'PodMissingProxy', level: 'Warning' },
  IST0106: { name: 'SchemaValidationError', level: 'Error' },
  IST0107: { name: 'MisplacedAnnotation', level: 'Warning' },
  IST0108: { name: 'UnknownAnnotation', level: 'Warning' },
  IST0109: { name: 'ConflictingMeshGatewayVirtualServiceHosts', level: 'Warning' },
  IST0110: { name: 'ConflictingSidecarWorkloadSelectors', level: 'Error' },
  IST0111: { name: 'MultipleSidecarsWithoutWorkloadSelectors', level: 'Error' },
  IST0112: { name: 'VirtualServiceDestinationPortSelectorRequired', level: 'Error' },
  IST0113: { name: 'MTLSPolicyConflict', level: 'Error' },
  IST0116: { name: 'DeploymentAssociatedToMultipleServices', level: 'Warning' },
  IST0118: { name: 'PortNameIsNotUnderNamingConvention', level: 'Info' },
  IST0119: { name: 'JwtFailureDueToInvalidServicePortPrefix', level: 'Warning' },
  IST0122: { name: 'InvalidRegexp', level: 'Error' },
  IST0123: { name: 'NamespaceMultipleInjectionLabels', level: 'Warning' },
  IST0125: { name: 'InvalidAnnotation', level: 'Warning' },
  IST0127: { name: 'NoMatchingWorkloadsFound', level: 'Warning' },
  IST0128: { name: 'NoServerCertificateVerificationDestinationLevel', level: 'Warning' },
  IST0129: { name: 'NoServerCertificateVerificationPortLevel', level: 'Warning' },
  IST0130: { name: 'VirtualServiceUnreachableRule', level: 'Warning' },
  IST0131: { name: 'VirtualServiceIneffectiveMatch', level: 'Info' },
  IST0133: { name: 'SchemaWarning', level: 'Warning' },
  IST0134: { name: 'ServiceEntryAddressesRequired', level: 'Warning' },
  IST0137: { name: 'DeploymentConflictingPorts', level: 'Warning' },
  IST0144: { name: 'InvalidApplicationUID', level: 'Warning' },
  IST0157: { name: 'InvalidTelemetryProvider', level: 'Warning' },
  IST0158: { name: 'PodsIstioProxyImageMismatchInNamespace', level: 'Warning' },
  IST0159: { name: 'ConflictingTelemetryWorkloadSelectors', level: 'Error' },
  IST0160: { name: 'MultipleTelemetriesWithoutWorkloadSelectors', level: 'Error' },
  IST0167: { name: 'IneffectivePolicy', level: 'Warning' },
  IST0173: { name: 'DestinationRuleSubsetsNotSelectPods', level: 'Error' },
  IST0174: { name: 'UnknownDestinationRuleHost', level: 'Warning' },
  /** Part of an object is not in force, or has an effect that was hardly meant; the object's condition says the same. */
  HED0001: { name: 'NotWhollyInForce', level: 'Warning' },
  /** An older object says the same for the same. */
  HED0002: { name: 'OlderObjectInForce', level: 'Warning' },
  /** Its namespace is no part of the mesh. */
  HED0003: { name: 'NamespaceNotDiscovered', level: 'Warning' },
  /** Tokens can't be verified, and so none is valid. */
  HED0004: { name: 'NoTokenKeys', level: 'Error' },
  /** A file that is no YAML, or of no object. */
  HED0005: { name: 'UnreadableDocument', level: 'Error' },
  /** It can't be right together with something else, and is not in force. */
  HED0006: { name: 'NotInForce', level: 'Error' },
  /** Something that is good to know of an object, as its condition says it. */
  HED0007: { name: 'GoodToKnow', level: 'Info' },
  /** Of Istio's kinds one that Heddle has not, or a version that no definition has. */
  HED0008: { name: 'UnknownKind', level: 'Warning' },
} as const satisfies Readonly<Record<string, { readonly name: string; readonly level: Level }>>;

export type Code = keyof typeof CODES;

/** Where Istio's messages are explained; ours are in the output of `heddle analyze --list`. */
const ISTIO_PAGES = 'https://istio.io/latest/docs/reference/config/analysis/';

/** The page of a code; undefined: there is none. */
export function pageOf(code: Code): string | undefined {
  return code.startsWith('IST') ? `${ISTIO_PAGES}${code.toLowerCase()}/` : undefined;
}

/** Whether a message of one level is at least as bad as another level. */
export function isAtLeast(level: Level, threshold: Level): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(threshold);
}
