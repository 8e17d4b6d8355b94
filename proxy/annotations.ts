import {
  DNS_CAPTURE_ANNOTATION,
  EXCLUDE_INBOUND_PORTS,
  INCLUDE_INBOUND_PORTS,
  LOADING_ANNOTATION,
} from '../api/pod-names.ts';
import {
  type Parser,
  parseBoolean,
  parseImage,
  parseInterfaces,
  parseLoading,
  parseLogLevel,
  parsePortList,
  parsePorts,
  parseQuantity,
  parseRangeList,
  parseRanges,
  parseSwitch,
} from './annotation-values.ts';
import { PROXY_DEFAULTS, type ProxyOptions } from './options.ts';

/** Pod label (or annotation) that decides over the namespace; `true` or `false`. */
export const INJECT_KEY = 'heddle.dev/inject';
/** Istio's name for the same. */
export const ISTIO_INJECT_KEY = 'sidecar.istio.io/inject';
/** Namespace label: `enabled` or `disabled`. */
export const INJECTION_LABEL = 'heddle.dev/injection';
/** Istio's namespace labels. */
export const ISTIO_REVISION_LABEL = 'istio.io/rev';
export const ISTIO_INJECTION_LABEL = 'istio-injection';
/** Value of `istio.io/rev` that means Heddle. */
export const REVISION = 'heddle';
export const CANONICAL_NAME_LABEL = 'service.istio.io/canonical-name';
export const CANONICAL_REVISION_LABEL = 'service.istio.io/canonical-revision';

type Reader = (options: ProxyOptions, value: string) => ProxyOptions | undefined;

const reader =
  <K extends keyof ProxyOptions>(field: K, parse: Parser<ProxyOptions[K]>): Reader =>
  (options, value) => {
    const parsed = parse.read(value);
    return parsed === undefined ? undefined : { ...options, [field]: parsed };
  };

const entry = <K extends keyof ProxyOptions>(field: K, parse: Parser<ProxyOptions[K]>) => ({
  expected: parse.expected,
  read: reader(field, parse),
});

/** The pod annotations that Heddle honours, Istio's but for the last two, each with what it takes. */
const ANNOTATIONS: Readonly<Record<string, { expected: string; read: Reader }>> = {
  [INCLUDE_INBOUND_PORTS]: entry('includeInboundPorts', parsePorts),
  [EXCLUDE_INBOUND_PORTS]: entry('excludeInboundPorts', parsePortList),
  'traffic.sidecar.istio.io/includeOutboundPorts': entry('includeOutboundPorts', parsePortList),
  'traffic.sidecar.istio.io/excludeOutboundPorts': entry('excludeOutboundPorts', parsePortList),
  'traffic.sidecar.istio.io/includeOutboundIPRanges': entry('includeOutboundRanges', parseRanges),
  'traffic.sidecar.istio.io/excludeOutboundIPRanges': entry('excludeOutboundRanges', parseRangeList),
  'traffic.sidecar.istio.io/excludeInterfaces': entry('excludeInterfaces', parseInterfaces),
  'sidecar.istio.io/proxyCPU': entry('cpuRequest', parseQuantity),
  'sidecar.istio.io/proxyCPULimit': entry('cpuLimit', parseQuantity),
  'sidecar.istio.io/proxyMemory': entry('memoryRequest', parseQuantity),
  'sidecar.istio.io/proxyMemoryLimit': entry('memoryLimit', parseQuantity),
  'sidecar.istio.io/logLevel': entry('logLevel', parseLogLevel),
  'sidecar.istio.io/proxyImage': entry('image', parseImage),
  'sidecar.istio.io/rewriteAppHTTPProbers': entry('rewriteProbes', parseBoolean),
  'prometheus.istio.io/merge-metrics': entry('mergeMetrics', parseBoolean),
  [DNS_CAPTURE_ANNOTATION]: entry('dnsCapture', parseSwitch),
  [LOADING_ANNOTATION]: entry('configurationLoading', parseLoading),
};

/** The names of the annotations Heddle reads on pods. */
export const ANNOTATION_NAMES: readonly string[] = Object.keys(ANNOTATIONS);

export interface AnnotationReading {
  readonly options: ProxyOptions;
  /** One sentence per malformed annotation: its name, its value and what is expected. */
  readonly problems: readonly string[];
}

/**
 * Reads the annotations of a pod.
 * @param annotations the pod's; names that are not ours are ignored
 * @param defaults what holds where the pod says nothing, instead of `PROXY_DEFAULTS`
 */
export function readAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  defaults: Partial<ProxyOptions> = {},
): AnnotationReading {
  let options: ProxyOptions = { ...PROXY_DEFAULTS, ...defaults };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(annotations ?? {})) {
    const known = Object.hasOwn(ANNOTATIONS, name) ? ANNOTATIONS[name] : undefined;
    if (!known) continue;
    const next = known.read(options, value);
    if (next) options = next;
    else problems.push(`metadata.annotations[${name}]: "${value.slice(0, 200)}" must be ${known.expected}`);
  }
  return { options, problems };
}
