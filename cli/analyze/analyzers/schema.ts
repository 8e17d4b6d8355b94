import type { z } from 'zod';
import { judgeAuthorizationPolicy } from '../../../api/authorization-policy-judgement.ts';
import { judgeDestinationRule } from '../../../api/destination-rule.ts';
import { checkLabels } from '../../../api/field-check.ts';
import type { FieldProblem, SpecJudgement } from '../../../api/field-problem.ts';
import { peerAuthenticationSpec } from '../../../api/peer-authentication.ts';
import { judgeRateLimitPolicy } from '../../../api/rate-limit-policy-judgement.ts';
import { CUSTOM_RESOURCES } from '../../../api/registry.ts';
import { judgeRequestAuthentication } from '../../../api/request-authentication-judgement.ts';
import { judgeServiceEntry } from '../../../api/service-entry-judgement.ts';
import { judgeSidecar } from '../../../api/sidecar-judgement.ts';
import { judgeSpec } from '../../../api/spec-reader.ts';
import { judgeTelemetry } from '../../../api/telemetry-judgement.ts';
import { judgeVirtualService } from '../../../api/virtual-service.ts';
import { judgeWorkloadEntry } from '../../../api/workload-entry-judgement.ts';
import type { Code } from '../codes.ts';
import { type Analyzer, refOf } from '../context.ts';
import type { AnyObject } from '../documents.ts';
import type { Finding } from '../message.ts';

/** As admission judges these; of other kinds the schema alone says what is wrong. */
const JUDGES: Readonly<Record<string, (spec: unknown) => SpecJudgement>> = {
  AuthorizationPolicy: judgeAuthorizationPolicy,
  DestinationRule: judgeDestinationRule,
  PeerAuthentication: judgePeerAuthentication,
  RateLimitPolicy: judgeRateLimitPolicy,
  RequestAuthentication: judgeRequestAuthentication,
  ServiceEntry: judgeServiceEntry,
  Sidecar: judgeSidecar,
  Telemetry: judgeTelemetry,
  VirtualService: judgeVirtualService,
  WorkloadEntry: judgeWorkloadEntry,
};

/** What can't be right about single objects, what is dubious, and fields that nobody knows. */
export const analyzeSchemas: Analyzer = function* ({ objects }) {
  for (const object of objects) {
    const resource = CUSTOM_RESOURCES.find(
      (one) => one.kind === object.kind && object.apiVersion?.startsWith(`${one.group}/`) === true,
    );
    if (resource === undefined) continue;
    const judge = JUDGES[resource.kind] ?? ((spec: unknown) => judgeBySchema(resource.spec, spec));
    const { errors, warnings } = judge(object.spec ?? {});
    for (const problem of errors) yield finding(object, problem, errorCode(problem));
    for (const problem of warnings) yield finding(object, problem, warningCode(problem));
    for (const field of unknownFields(resource.spec, object.spec)) {
      const message = `${field}: is no field of ${resource.kind}, and so has no effect; see how it is spelled`;
      yield { code: 'IST0133', object: refOf(object), field, message };
    }
  }
};

function finding(object: AnyObject, { field, message }: FieldProblem, code: Code): Finding {
  return { code, object: refOf(object), field, message: `${field}: ${message}` };
}

function errorCode({ message }: FieldProblem): Code {
  return /RE2/.test(message) ? 'IST0122' : 'IST0106';
}

function warningCode({ message }: FieldProblem): Code {
  if (message.startsWith('is never used')) return 'IST0130';
  return message.startsWith('is the same as') ? 'IST0131' : 'IST0133';
}

function judgePeerAuthentication(spec: unknown): SpecJudgement {
  return judgeSpec(peerAuthenticationSpec, spec, (found, { selector }) =>
    checkLabels(found, 'spec.selector.matchLabels', selector?.matchLabels),
  );
}

function judgeBySchema(schema: z.ZodType, spec: unknown): SpecJudgement {
  const { error } = schema.safeParse(spec);
  const errors = (error?.issues ?? []).map(({ path, message }) => ({
    field: `spec${path.map(step).join('')}`,
    message,
  }));
  return { errors, warnings: [] };
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}

/** Fields that the schema drops. Of a spec that it refuses nothing is said. */
function unknownFields(schema: z.ZodType, spec: unknown): string[] {
  const { data, success } = schema.safeParse(spec ?? {});
  return success ? dropped(spec, data, 'spec') : [];
}

function dropped(written: unknown, read: unknown, place: string): string[] {
  if (Array.isArray(written)) {
    const items = Array.isArray(read) ? read : [];
    return written.flatMap((item, index) => dropped(item, items[index], `${place}[${index}]`));
  }
  if (!isRecord(written) || !isRecord(read)) return [];
  return Object.entries(written).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    const own = `${place}.${name}`;
    return Object.hasOwn(read, name) ? dropped(value, read[name], own) : [own];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
