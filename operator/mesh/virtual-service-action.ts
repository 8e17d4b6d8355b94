import type { HttpDirectResponse, HttpRedirect, HttpRewrite } from '../../api/http-answer.ts';
import type { CorsPolicy } from '../../api/http-cors.ts';
import { GRPC_STATUS, type HttpFault } from '../../api/http-fault.ts';
import { type HttpRetry, retryConditions } from '../../api/http-retry.ts';
import { istioDurationMs } from '../../api/istio-duration.ts';
import type { Cors, Fault, Redirect, Retries, Rewrite, StringMatch } from './route-rule.ts';
import { readString } from './virtual-service-match.ts';

/** Reads an HTTPRedirect; the status is 301 unless it says otherwise. */
export function readRedirect({ uri, authority, scheme, port, derivePort, redirectCode }: HttpRedirect): Redirect {
  const target = port ?? derivePort;
  return {
    ...(uri ? { uri } : {}),
    ...(authority ? { authority } : {}),
    ...(scheme ? { scheme } : {}),
    ...(target === undefined ? {} : { port: target }),
    code: redirectCode || 301,
  };
}

/** Reads an HTTPDirectResponse; `bytes` are base64, in either alphabet as protobuf's JSON has it. */
export function readResponse({ status, body }: HttpDirectResponse): { status: number; body?: string | Uint8Array } {
  if (body?.string !== undefined) return { status, body: body.string };
  if (body?.bytes !== undefined) return { status, body: new Uint8Array(Buffer.from(body.bytes, 'base64')) };
  return { status };
}

/** Reads an HTTPRewrite. */
export function readRewrite({ uri, authority, uriRegexRewrite }: HttpRewrite): Rewrite {
  const { match = '', rewrite = '' } = uriRegexRewrite ?? {};
  return {
    ...(uri ? { uri } : {}),
    ...(authority ? { authority } : {}),
    ...(uriRegexRewrite === undefined ? {} : { uriRegex: { match, rewrite } }),
  };
}

/** Reads an HTTPRetry. Without `attempts` there are none: Istio can't tell that from 0. Endpoints that failed are avoided unless it says otherwise. */
export function readRetries(spec: HttpRetry): Retries {
  const perTryTimeoutMs = istioDurationMs(spec.perTryTimeout ?? '');
  const backoffMs = istioDurationMs(spec.backoff ?? '');
  const retryOn = retryConditions(spec.retryOn ?? '').join(',');
  return {
    attempts: spec.attempts ?? 0,
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeoutMs }),
    ...(retryOn === '' ? {} : { retryOn }),
    ...(backoffMs === undefined ? {} : { backoffMs }),
    remoteLocalities: spec.retryRemoteLocalities ?? false,
    ignorePreviousHosts: spec.retryIgnorePreviousHosts ?? true,
  };
}

/** Reads an HTTPFaultInjection. Without a percentage a fault meets no request, as in Istio. */
export function readFault({ delay, abort }: HttpFault): Fault {
  const fixedMs = istioDurationMs(delay?.fixedDelay ?? '');
  const { httpStatus } = abort ?? {};
  const grpcStatus = GRPC_STATUS.get(abort?.grpcStatus ?? '');
  const aborts = abort !== undefined && (httpStatus !== undefined || grpcStatus !== undefined);
  return {
    ...(fixedMs === undefined ? {} : { delay: { fixedMs, percent: readPercent(delay?.percentage, delay?.percent) } }),
    ...(aborts ? { abort: { ...readAbort(httpStatus, grpcStatus), percent: readPercent(abort.percentage) } } : {}),
  };
}

function readAbort(httpStatus: number | undefined, grpcStatus: number | undefined) {
  return {
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(grpcStatus === undefined ? {} : { grpcStatus }),
  };
}

function readPercent(percentage: { readonly value?: number | undefined } | undefined, deprecated = 0): number {
  return percentage === undefined ? deprecated : (percentage.value ?? 0);
}

/** Reads a CorsPolicy. The deprecated `allowOrigin` counts only without `allowOrigins`, as in Istio. */
export function readCors(policy: CorsPolicy): Cors {
  const { allowOrigins = [], allowOrigin = [], allowCredentials, unmatchedPreflights } = policy;
  const origins = allowOrigins.map(readString).filter((match) => match !== undefined);
  const exact = allowOrigin.map((value): StringMatch => ({ kind: 'exact', value }));
  const maxAgeMs = istioDurationMs(policy.maxAge ?? '');
  const preflights = unmatchedPreflights === 'UNSPECIFIED' ? undefined : unmatchedPreflights;
  return {
    allowOrigins: origins.length > 0 ? origins : exact,
    allowMethods: policy.allowMethods ?? [],
    allowHeaders: policy.allowHeaders ?? [],
    exposeHeaders: policy.exposeHeaders ?? [],
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(allowCredentials === undefined ? {} : { allowCredentials }),
    ...(preflights === undefined ? {} : { unmatchedPreflights: preflights }),
  };
}
