import { z } from 'zod';
import { duration } from './duration.ts';
import { headerValueProblem } from './http-header-value.ts';
import { isAuthorityHeader, isHeaderName } from './http-headers.ts';
import { isStatus } from './http-statuses.ts';
import { providerPath, providerPort, providerService } from './provider-service.ts';
import { telemetryProviders } from './telemetry-provider.ts';

const MAX_UINT32 = 2 ** 32 - 1;

/** Names of headers: exact, or with a `*` in front or at the end. Alone it would be all headers, which Istio refuses. */
const headerNames = z
  .array(
    z
      .string()
      .max(256)
      .refine(
        (text) => isHeaderName(text.replace(/^\*|\*$/, '')) && !text.replace(/^\*|\*$/, '').includes('*'),
        'must be the name of a header, or have a "*" in front or at its end',
      ),
  )
  .max(100)
  .default([]);

const additionalHeaders = z.record(z.string().max(256), z.string().max(4096)).default({}).superRefine(checkAdditions);

const requestBody = z.strictObject({
  /** How much of a body is sent; more is answered 413, unless a part may be sent. */
  maxRequestBytes: z.int().min(1).max(MAX_UINT32),
  /** Of a longer body the first `maxRequestBytes` are sent. */
  allowPartialMessage: z.boolean().default(false),
  /** As `raw_body` in place of `body`, which must be UTF-8 (gRPC). */
  packAsBytes: z.boolean().default(false),
});

/** What both protocols have. */
const common = {
  service: providerService,
  port: providerPort,
  /** How long an answer may take. */
  timeout: duration.default('600s'),
  /** Requests pass when the provider can't be asked, or answers 5xx. */
  failOpen: z.boolean().default(false),
  /** The answer when the provider can't be asked and `failOpen` is false; default 403. */
  statusOnError: z
    .string()
    .refine((text) => /^[0-9]{3}$/.test(text) && isStatus(Number(text)), 'must be a status such as "503"')
    .optional(),
  /** Whether the route is looked for again after the provider changed headers. */
  clearRouteCache: z
    .literal(false, 'has no effect, as a pod has one route for all requests that come in; leave it out')
    .default(false),
};

/** Without `failOpen` it decides the answer, with it there is none to decide. */
const ONE_ANSWER = {
  check: ({ failOpen, statusOnError }: { readonly failOpen: boolean; readonly statusOnError?: string | undefined }) =>
    !failOpen || statusOnError === undefined,
  problem: {
    path: ['statusOnError'],
    message: 'has no effect with failOpen, which lets pass what would be answered so; leave one of the two out',
  },
};

const httpProvider = z
  .strictObject({
    ...common,
    /** Stands before the path of the request that it asks about. */
    pathPrefix: providerPath.refine((text) => !text.includes('?'), 'must have no query').optional(),
    /** Headers of the request that it is told besides method, path, host and `authorization`. */
    includeRequestHeadersInCheck: headerNames,
    /** Headers that it is told, whatever the request has of that name; values may hold commands of Envoy's (`%PROTOCOL%`). */
    includeAdditionalHeadersInCheck: additionalHeaders,
    includeRequestBodyInCheck: requestBody
      .refine(({ packAsBytes }) => !packAsBytes, 'packAsBytes has a meaning with envoyExtAuthzGrpc alone; leave it out')
      .optional(),
    /** Headers of its answer that the application gets in place of the request's own. */
    headersToUpstreamOnAllow: headerNames,
    /** Headers of its answer that a denied caller gets; without any: all. */
    headersToDownstreamOnDeny: headerNames,
    /** Headers of its answer that a caller gets with the application's answer. */
    headersToDownstreamOnAllow: headerNames,
  })
  .refine(ONE_ANSWER.check, ONE_ANSWER.problem);

const grpcProvider = z
  .strictObject({ ...common, includeRequestBodyInCheck: requestBody.optional() })
  .refine(ONE_ANSWER.check, ONE_ANSWER.problem);

/** Fields of which a provider has one: what it is. */
const SORTS = {
  /** Asked by HTTP: a request that it answers 200 may be made. */
  envoyExtAuthzHttp: httpProvider.optional(),
  /** Asked by gRPC (`envoy.service.auth.v3.Authorization`). */
  envoyExtAuthzGrpc: grpcProvider.optional(),
  ...telemetryProviders,
};
const NAMES = Object.keys(SORTS) as (keyof typeof SORTS)[];

/** Istio's `MeshConfig.ExtensionProvider`, as far as AuthorizationPolicies ask it and Telemetry resources tell it. */
export const extensionProvider = z
  .strictObject({
    name: z
      .string()
      .max(128)
      .regex(/^[-a-zA-Z0-9._/]+$/, 'must consist of letters, digits, "-", ".", "_" and "/"'),
    ...SORTS,
  })
  .refine(
    (provider) => NAMES.filter((name) => provider[name] !== undefined).length === 1,
    `must have one of ${NAMES.slice(0, -1).join(', ')} and ${NAMES.at(-1)}`,
  );

export const extensionProviders = z.array(extensionProvider).max(100).default([]).superRefine(checkNames);

export type ExtensionProvider = z.output<typeof extensionProvider>;
export type HttpAuthorizer = z.output<typeof httpProvider>;
export type GrpcAuthorizer = z.output<typeof grpcProvider>;

/** Which of the fields says what a provider is. */
export function sortOf(provider: ExtensionProvider): keyof typeof SORTS {
  const sort = NAMES.find((name) => provider[name] !== undefined);
  if (sort === undefined) throw new Error('a provider is of one sort');
  return sort;
}

/** Whether a provider is one that policies with action CUSTOM may ask. */
export function isAuthorizer({ envoyExtAuthzHttp, envoyExtAuthzGrpc }: ExtensionProvider): boolean {
  return envoyExtAuthzHttp !== undefined || envoyExtAuthzGrpc !== undefined;
}

/** What a provider is asked by, of those that may be asked. */
export function authorizerOf({ envoyExtAuthzHttp, envoyExtAuthzGrpc }: ExtensionProvider): {
  readonly protocol: 'http' | 'grpc';
  readonly settings: Pick<HttpAuthorizer, keyof typeof common>;
} {
  if (envoyExtAuthzHttp !== undefined) return { protocol: 'http', settings: envoyExtAuthzHttp };
  if (envoyExtAuthzGrpc !== undefined) return { protocol: 'grpc', settings: envoyExtAuthzGrpc };
  throw new Error('a provider is asked by one of the two');
}

/** @returns the namespace, where one is said, and the hostname */
export function readServiceName(service: string): { readonly namespace?: string; readonly hostname: string } {
  const [first = '', second] = service.split('/');
  return second === undefined ? { hostname: first } : { namespace: first, hostname: second };
}

function checkAdditions(headers: Record<string, string>, context: z.RefinementCtx): void {
  for (const [name, value] of Object.entries(headers)) {
    const problem =
      isHeaderName(name) && !isAuthorityHeader(name)
        ? headerValueProblem(value)
        : 'must be the name of a header, and not the host';
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
  }
}

function checkNames(providers: readonly { readonly name: string }[], context: z.RefinementCtx): void {
  for (const [index, { name }] of providers.entries()) {
    if (providers.findIndex((one) => one.name === name) === index) continue;
    context.addIssue({
      code: 'custom',
      path: [index, 'name'],
      message: `must be the only one, and "${name}" comes before`,
    });
  }
}
