import { metricTemplateSpec } from '../api/metric-template.ts';
import { schemaProblems } from './schema-problems.ts';

/** What is wrong with a MetricTemplate's spec: one sentence per problem, beginning with the field. */
export function validateMetricTemplate(spec: unknown): string[] {
  const result = metricTemplateSpec.safeParse(spec);
  return result.success
    ? cloudWatchProblems(result.data.provider.type, result.data.query)
    : schemaProblems(result.error);
}

/** Its query is a list of MetricDataQueries in JSON, in which names are filled in between quotes. */
function cloudWatchProblems(type: string, query: string): string[] {
  if (type !== 'cloudwatch') return [];
  try {
    if (Array.isArray(JSON.parse(query))) return [];
  } catch {
    // Said below.
  }
  return ['spec.query: must be a list of MetricDataQueries in JSON, as GetMetricData of CloudWatch takes them'];
}
