import { describe, expect, test } from '@jest/globals';
import { judgeVirtualService } from './virtual-service.ts';

const reviews = { host: 'reviews' };
const route = [{ destination: reviews }];
const http = (rule: object): object => ({ hosts: ['reviews'], http: [{ route, ...rule }] });

describe('A rule of a VirtualService', () => {
  test.each<[name: string, spec: unknown, field: string, message?: string]>([
    [
      'a match of two kinds',
      http({ match: [{ uri: { exact: '/', prefix: '/' } }] }),
      'spec.http[0].match[0].uri',
      'keep one',
    ],
    ['an empty prefix', http({ match: [{ uri: { prefix: '' } }] }), 'spec.http[0].match[0].uri.prefix'],
    ['an empty match of a path', http({ match: [{ uri: {} }] }), 'spec.http[0].match[0].uri'],
    [
      'lookahead',
      http({ match: [{ headers: { a: { regex: '(?=x)' } } }] }),
      'spec.http[0].match[0].headers[a].regex',
      'RE2 has no lookahead',
    ],
    ['a header that is none', http({ match: [{ headers: { 'a b': {} } }] }), 'spec.http[0].match[0].headers[a b]'],
    [
      'a claim without a gateway',
      http({ match: [{ headers: { '@request.auth.claims.sub': {} } }] }),
      'spec.http[0].match[0].headers[@request.auth.claims.sub]',
    ],
    ['port 65536', http({ match: [{ port: 65_536 }] }), 'spec.http[0].match[0].port'],
    [
      'a label that is none',
      http({ match: [{ sourceLabels: { app: 'a b' } }] }),
      'spec.http[0].match[0].sourceLabels[app]',
    ],
    [
      'a caller in no namespace',
      http({ match: [{ sourceNamespace: 'a/b' }] }),
      'spec.http[0].match[0].sourceNamespace',
    ],
    ['a timeout of nothing', http({ timeout: '0s' }), 'spec.http[0].timeout', 'at least "1ms"'],
    ['a timeout without a unit', http({ timeout: '10' }), 'spec.http[0].timeout', 'must be a duration'],
    [
      'an unknown condition',
      http({ retries: { attempts: 1, retryOn: '5xx,sometimes' } }),
      'spec.http[0].retries.retryOn',
      '"sometimes"',
    ],
    [
      'retries without attempts',
      http({ retries: { perTryTimeout: '1s' } }),
      'spec.http[0].retries.attempts',
      'perTryTimeout',
    ],
    ['negative attempts', http({ retries: { attempts: -1 } }), 'spec.http[0].retries.attempts'],
    ['a fault of nothing', http({ fault: {} }), 'spec.http[0].fault'],
    [
      'a fault of 101 %',
      http({ fault: { abort: { httpStatus: 500, percentage: { value: 101 } } } }),
      'spec.http[0].fault.abort.percentage.value',
    ],
    [
      'a fault too rare',
      http({ fault: { abort: { httpStatus: 500, percentage: { value: 0.00001 } } } }),
      'spec.http[0].fault.abort.percentage.value',
    ],
    [
      'status 600',
      http({ fault: { abort: { httpStatus: 600, percentage: { value: 1 } } } }),
      'spec.http[0].fault.abort.httpStatus',
    ],
    [
      'two statuses',
      http({ fault: { abort: { httpStatus: 500, grpcStatus: 'OK', percentage: { value: 1 } } } }),
      'spec.http[0].fault.abort',
    ],
    [
      'an unknown gRPC status',
      http({ fault: { abort: { grpcStatus: 'SAD' } } }),
      'spec.http[0].fault.abort.grpcStatus',
    ],
    [
      'an exponential delay',
      http({ fault: { delay: { exponentialDelay: '1s' } } }),
      'spec.http[0].fault.delay.exponentialDelay',
    ],
    [
      'redirect code 304',
      { hosts: ['a'], http: [{ redirect: { uri: '/', redirectCode: 304 } }] },
      'spec.http[0].redirect.redirectCode',
    ],
    ['a redirect to nowhere', { hosts: ['a'], http: [{ redirect: {} }] }, 'spec.http[0].redirect'],
    [
      'a redirect with a rewrite',
      { hosts: ['a'], http: [{ redirect: { uri: '/' }, rewrite: { uri: '/' } }] },
      'spec.http[0].rewrite',
    ],
    [
      'an answer with status 99',
      { hosts: ['a'], http: [{ directResponse: { status: 99 } }] },
      'spec.http[0].directResponse.status',
    ],
    [
      'an answer that is no base64',
      { hosts: ['a'], http: [{ directResponse: { status: 200, body: { bytes: '!' } } }] },
      'spec.http[0].directResponse.body.bytes',
    ],
    [
      'a huge answer',
      { hosts: ['a'], http: [{ directResponse: { status: 200, body: { string: 'x'.repeat(1_048_577) } } }] },
      'spec.http[0].directResponse.body',
    ],
    [
      'two rewritings of the path',
      http({ rewrite: { uri: '/', uriRegexRewrite: { match: 'a', rewrite: 'b' } } }),
      'spec.http[0].rewrite',
    ],
    [
      'a group that is not there',
      http({ rewrite: { uriRegexRewrite: { match: '(a)', rewrite: '\\2' } } }),
      'spec.http[0].rewrite.uriRegexRewrite.rewrite',
      '1 groups',
    ],
    [
      'two authorities',
      http({ rewrite: { authority: 'a' }, headers: { request: { set: { Host: 'b' } } } }),
      'spec.http[0].headers.request.set[Host]',
      'after rewrite.authority',
    ],
    [
      'a pseudo-header',
      http({ headers: { request: { set: { ':path': '/' } } } }),
      'spec.http[0].headers.request.set[:path]',
    ],
    [
      'a response with a host',
      http({ headers: { response: { add: { host: 'a' } } } }),
      'spec.http[0].headers.response.add[host]',
    ],
    [
      'a lone per cent sign',
      http({ headers: { request: { set: { a: '5%' } } } }),
      'spec.http[0].headers.request.set[a]',
      'write %%',
    ],
    [
      'an unknown command',
      http({ headers: { request: { set: { a: '%NOPE%' } } } }),
      'spec.http[0].headers.request.set[a]',
      '%NOPE%',
    ],
    [
      'a line break',
      http({ route: [{ destination: reviews, headers: { request: { set: { a: '1\n2' } } } }] }),
      'spec.http[0].route[0].headers.request.set[a]',
    ],
    ['mirror and mirrors', http({ mirror: reviews, mirrors: [{ destination: reviews }] }), 'spec.http[0].mirrors'],
    [
      'a mirror of -1 %',
      http({ mirror: reviews, mirrorPercentage: { value: -1 } }),
      'spec.http[0].mirrorPercentage.value',
    ],
    [
      'a preflight kept for half a second',
      http({ corsPolicy: { maxAge: '500ms' } }),
      'spec.http[0].corsPolicy.maxAge',
      'whole seconds',
    ],
    [
      'an origin that is a bad regex',
      http({ corsPolicy: { allowOrigins: [{ regex: '(' }] } }),
      'spec.http[0].corsPolicy.allowOrigins[0].regex',
    ],
  ])('with %s is refused at its field', (_, spec, field, message = 'must') => {
    const { errors } = judgeVirtualService(spec);
    expect(errors).toContainEqual({ field, message: expect.stringContaining(message) });
    expect(errors.every((error) => !error.message.endsWith('.'))).toBe(true);
  });
});
