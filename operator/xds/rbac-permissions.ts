import { create } from '@bufbuild/protobuf';
import type { AuthorizationOperation } from '../../api/authorization-policy.ts';
import { type Permission, PermissionSchema } from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { among, permissions } from './rbac-logic.ts';
import { translatePaths } from './rbac-paths.ts';
import { cidr } from './rbac-principals.ts';
import { matchHeader, matchText, readPattern } from './rbac-values.ts';

/**
 * What is called, of one operation of a rule: all must hold.
 * @param isHttp false: what only requests have counts as not written
 * @param stops the rule denies, or asks
 */
export function translateOperation(operation: AuthorizationOperation, isHttp: boolean, stops: boolean): Permission[] {
  return [
    ...(isHttp ? among(permissions, operation.hosts, operation.notHosts, hostRule) : []),
    ...among(permissions, operation.ports, operation.notPorts, portRule),
    ...(isHttp ? among(permissions, operation.methods, operation.notMethods, methodRule) : []),
    ...(isHttp ? translatePaths(operation, stops) : []),
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
