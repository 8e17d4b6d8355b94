import { z } from 'zod';
import { finite, only, type Provider, QueryError, readJson, secretKey } from './provider.ts';
import { shaped } from './shape.ts';

const answer = z.object({ results: z.array(z.record(z.string(), z.unknown())) });

/** NRQL over the metric's interval. Secret: `newrelic_account_id`, `newrelic_query_key`. */
export const newrelic: Provider = async (query, context) => {
  const account = secretKey(context, 'newrelic_account_id');
  if (!/^\d+$/.test(account))
    throw new QueryError('SecretUnreadable', 'newrelic_account_id of the Secret is no number');
  const nrql = `${query.trim()} SINCE ${Math.ceil(context.intervalMs / 1000)} seconds ago`;
  const response = await context.exchange({
    url: `${context.address || 'https://insights-api.newrelic.com'}/v1/accounts/${account}/query?${new URLSearchParams({ nrql })}`,
    headers: { accept: 'application/json', 'x-query-key': secretKey(context, 'newrelic_query_key') },
  });
  const result = only(shaped(answer, readJson(response)).results, 'results');
  // Each function names its result after itself: average, count, percentage as `result`.
  return finite(only(Object.values(result), 'values'));
};
