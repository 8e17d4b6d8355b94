/** What stands between double braces: a name, or `variables.NAME`. */
const PLACE = /\{\{-?\s*([^{}]*?)\s*-?\}\}/g;

/** Names a query may use, with what they stand for. */
export const QUERY_NAMES = {
  name: 'name of the Canary',
  namespace: 'namespace of the Canary',
  target: 'name of the target',
  service: 'name of the first Service that selects the pods of the target',
  interval: 'interval of the metric, as it is written',
  revision: 'revision that is asked about: the new one, and for comparedToStable the stable one',
} as const;

export type QueryName = keyof typeof QUERY_NAMES;

/** What the names stand for. */
export interface QueryValues extends Readonly<Record<QueryName, string>> {
  readonly variables: Readonly<Record<string, string>>;
}

/** Why a query can't be filled in whatever the values are; undefined when it can. */
export function queryProblem(query: string): string | undefined {
  for (const [whole, name = ''] of query.matchAll(PLACE)) {
    if (!(name in QUERY_NAMES) && variableOf(name) === undefined) {
      return `${whole} is not known; there are ${Object.keys(QUERY_NAMES).join(', ')} and variables.NAME`;
    }
  }
  const rest = query.replaceAll(PLACE, '');
  return rest.includes('{{') || rest.includes('}}') ? 'has braces without their counterpart' : undefined;
}

/** Whether a query asks about one revision, so that it can be asked about the stable one too. */
export function asksOfRevision(query: string): boolean {
  return [...query.matchAll(PLACE)].some(([, name]) => name === 'revision');
}

/**
 * Fills a query in.
 * @throws {RangeError} in one sentence, when a name is not known or a variable is not given
 */
export function fillQuery(query: string, values: QueryValues): string {
  const problem = queryProblem(query);
  if (problem !== undefined) throw new RangeError(`spec.query ${problem}`);
  return query.replaceAll(PLACE, (_, name: string) => {
    const variable = variableOf(name);
    if (variable === undefined) return values[name as QueryName];
    const value = Object.hasOwn(values.variables, variable) ? values.variables[variable] : undefined;
    if (value === undefined) throw new RangeError(`templateVariables has no ${variable}, which the query asks for`);
    return value;
  });
}

function variableOf(name: string): string | undefined {
  return /^variables\.([\w-]+)$/.exec(name)?.[1];
}
