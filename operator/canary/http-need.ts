import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { Observation } from './observation.ts';
import type { Step } from './plan.ts';

const FIX = 'give one a name that begins with http, http2 or grpc, or set its appProtocol';

/** Fields that choose among requests: of opaque connections nothing is known to choose by. */
const NEEDING = ['match', 'mirror', 'sessionAffinity', 'stickiness'] as const;

/** Says which fields of the analysis are not in force, as no port carries HTTP; undefined: all are. */
export function fieldsWithoutHttp(analysis: CanaryAnalysis, observation: Observation): string | undefined {
  if (observation.carriesHttp !== false) return undefined;
  // Who calls is known of opaque connections, too.
  const { stickiness } = analysis;
  const asked = { ...analysis, stickiness: stickiness?.principal === true ? undefined : stickiness };
  const given = NEEDING.filter((field) => asked[field] !== undefined && asked[field] !== false);
  if (given.length === 0) return undefined;
  const fields = given.map((field) => `spec.analysis.${field}`).join(' and ');
  return `${fields} can't be in force, as ${describePorts(observation)}; ${FIX}`;
}

/** Says why a step can't be put in force, as no port carries HTTP; undefined: it can. */
export function stepWithoutHttp({ matched, mirror }: Step, observation: Observation): string | undefined {
  if (observation.carriesHttp !== false || (!matched && mirror === 0)) return undefined;
  const what = matched ? 'no request can be matched' : 'no request can be copied';
  return `${what}, as ${describePorts(observation)}; ${FIX}`;
}

function describePorts({ services }: Observation): string {
  return `no port of Service ${services.join(', ')} carries HTTP`;
}
