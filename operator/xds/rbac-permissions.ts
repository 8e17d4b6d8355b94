import { create } from '@bufbuild/protobuf';
import type { AuthorizationOperation } from '../../api/authorization-policy.ts';
import { isPathTemplate } from '../../api/path-template.ts';
import { type Permission, PermissionSchema } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { among, permissions } from './rbac-logic.ts';
import { cidr } from './rbac-principals.ts';
import { matchExpression, matchHeader, matchText, quote, readPattern } from './rbac-values.ts';

/**
 * What is called, of one operation of a rule: all must hold.
 * @param isHttp false: what only requests have counts as not written
 */
export function translateOperation(operation: AuthorizationOperation, isHttp: boolean): Permission[] {
  return [
    ...(isHttp ? among(permissions, operation.hosts, operation.notHosts, hostRule) : []),
    ...among(permissions, operation.ports, operation.notPorts, portRule),
    ...(isHttp ? among(permissions, operation.methods, operation.notMethods, methodRule) : []),
    ...(isHttp ? among(permissions, operation.paths, operation.notPaths, pathRule) : []),
  ];
}

export function portRule(port: string): Permission {
  return create(PermissionSchema, { rule: { case: 'destinationPort', value: Number(port) } });
}

export function serverNameRule(value: string): Permission {
  return create(PermissionSchema, { rule: { case: 'requestedServerName', value: matchText(readPattern(value)) } });
}

export function destinationAddressRule(block: string): Permission {
  return create(PermissionSchema, { rule: { case: 'destinationIp', value: cidr(block) } });
}

/** Names of hosts are the same in any case (RFC 9110, 4.2.3). */
function hostRule(value: string): Permission {
  return create(PermissionSchema, {
    rule: { case: 'header', value: matchHeader(':authority', readPattern(value), true) },
  });
}

function methodRule(value: string): Permission {
  return create(PermissionSchema, { rule: { case: 'header', value: matchHeader(':method', readPattern(value)) } });
}

/** The path without its query, as it is after normalisation. */
function pathRule(value: string): Permission {
  const path = isPathTemplate(value) ? matchExpression(templateExpression(value)) : matchText(readPattern(value));
  return create(PermissionSchema, { rule: { case: 'urlPath', value: { rule: { case: 'path', value: path } } } });
}

/** Envoy's own templates (`UriTemplateMatchConfig`) would not do: for them no segment has a `=`, so `/admin/a=b` would get past a `/admin/{*}`. */
function templateExpression(template: string): string {
  const segments = template.split('/').map((segment) => {
    if (segment === '{*}') return '[^/]+';
    return segment === '{**}' ? '.*' : quote(segment);
  });
  return segments.join('/');
}
