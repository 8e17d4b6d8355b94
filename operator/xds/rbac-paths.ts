import { create } from '@bufbuild/protobuf';
import type { AuthorizationOperation } from '../../api/authorization-policy.ts';
import { isPathTemplate } from '../../api/path-template.ts';
import { type Permission, PermissionSchema } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { type StringMatcher, StringMatcherSchema } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { among, permissions } from './rbac-logic.ts';
import { matchExpression, matchText, quote, readPattern } from './rbac-values.ts';

/** Few paths have it, so that the expression is seldom asked: policies are many, and each asks. */
const DOT = '/.';
/** What makes a path another one for some servers; see `translatePaths`. */
export const UNCLEAR_SEGMENT = '/\\.\\.?(?:;|%3[bB])';
/** The same of a whole path. */
export const UNCLEAR = `(?s).*${UNCLEAR_SEGMENT}.*`;

/**
 * Which paths, without their query, as they are after normalisation.
 *
 * Envoy leaves out what follows the `;` of a segment `..;x` where that is sent as it is, but not in `/x/%2e%2e;/admin`, which it unescapes only later: the
 * application gets `/x/..;/admin`, for Tomcat and Jetty `/admin`. So nobody knows what such a path is: who stops paths stops it, and who allows some
 * does not allow it.
 *
 * @param stops the rule denies, or asks
 */
export function translatePaths({ paths, notPaths }: AuthorizationOperation, stops: boolean): Permission[] {
  const terms = among(permissions, paths, notPaths, pathRule);
  if (terms.length === 0) return [];
  const unclear = permissions.and([urlPath(contains(DOT)), urlPath(matchExpression(UNCLEAR))]);
  return stops ? [permissions.or([permissions.and(terms), unclear])] : [...terms, permissions.not(unclear)];
}

function pathRule(value: string): Permission {
  return urlPath(isPathTemplate(value) ? matchExpression(templateExpression(value)) : matchText(readPattern(value)));
}

function urlPath(path: StringMatcher): Permission {
  return create(PermissionSchema, { rule: { case: 'urlPath', value: { rule: { case: 'path', value: path } } } });
}

function contains(part: string): StringMatcher {
  return create(StringMatcherSchema, { matchPattern: { case: 'contains', value: part } });
}

/**
 * A path template as an expression. Envoy's own templates (`UriTemplateMatchConfig`) would not do: for them no segment has a `=`, so `/admin/a=b` would
 * get past a `/admin/{*}`.
 */
export function templateExpression(template: string): string {
  const segments = template.split('/').map((segment) => {
    if (segment === '{*}') return '[^/]+';
    return segment === '{**}' ? '.*' : quote(segment);
  });
  return segments.join('/');
}
