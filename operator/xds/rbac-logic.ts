import { create } from '@bufbuild/protobuf';
import {
  type Permission,
  PermissionSchema,
  type Principal,
  PrincipalSchema,
} from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';

/** And, or, not over who calls: nothing at all is anybody. */
export const principals = {
  any: (): Principal => create(PrincipalSchema, { identifier: { case: 'any', value: true } }),
  and: (ids: readonly Principal[]): Principal =>
    single(ids) ??
    (ids.length === 0
      ? principals.any()
      : create(PrincipalSchema, { identifier: { case: 'andIds', value: { ids: [...ids] } } })),
  or: (ids: readonly Principal[]): Principal =>
    single(ids) ?? create(PrincipalSchema, { identifier: { case: 'orIds', value: { ids: [...ids] } } }),
  not: (id: Principal): Principal => create(PrincipalSchema, { identifier: { case: 'notId', value: id } }),
};

/** The same over what is called. */
export const permissions = {
  any: (): Permission => create(PermissionSchema, { rule: { case: 'any', value: true } }),
  and: (rules: readonly Permission[]): Permission =>
    single(rules) ??
    (rules.length === 0
      ? permissions.any()
      : create(PermissionSchema, { rule: { case: 'andRules', value: { rules: [...rules] } } })),
  or: (rules: readonly Permission[]): Permission =>
    single(rules) ?? create(PermissionSchema, { rule: { case: 'orRules', value: { rules: [...rules] } } }),
  not: (rule: Permission): Permission => create(PermissionSchema, { rule: { case: 'notRule', value: rule } }),
};

/** Connectives of one kind of terms. */
export interface Logic<Term> {
  and(terms: readonly Term[]): Term;
  or(terms: readonly Term[]): Term;
  not(term: Term): Term;
}

/** One of the values, where there are any, and none of the others. */
export function among<Term>(
  logic: Logic<Term>,
  values: readonly string[] | undefined,
  others: readonly string[] | undefined,
  build: (value: string) => Term,
): Term[] {
  const terms: Term[] = [];
  if (values !== undefined && values.length > 0) terms.push(logic.or(values.map(build)));
  if (others !== undefined && others.length > 0) terms.push(logic.not(logic.or(others.map(build))));
  return terms;
}

function single<Term>(terms: readonly Term[]): Term | undefined {
  return terms.length === 1 ? terms[0] : undefined;
}
