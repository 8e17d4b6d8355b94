import { z } from 'zod';
import { finite, LOOK_BACK, only, type Provider, readJson, secretKey } from './provider.ts';
import { shaped } from './shape.ts';

const answer = z.object({
  result: z.array(z.object({ data: z.array(z.object({ values: z.array(z.number().nullable()) })) })),
});

/** A metric selector of Dynatrace, at one point for the whole time. Secret: `dynatrace_token`. */
export const dynatrace: Provider = async (query, context) => {
  const { address, now, intervalMs } = context;
  const asked = new URLSearchParams({
    metricSelector: query.trim(),
    resolution: 'Inf',
    from: String(now - LOOK_BACK * intervalMs),
    to: String(now),
  });
  const response = await context.exchange({
    url: `${address}/api/v2/metrics/query?${asked}`,
    headers: { authorization: `Api-Token ${secretKey(context, 'dynatrace_token')}` },
  });
  const { data } = only(shaped(answer, readJson(response)).result, 'metrics');
  return finite(only(only(data, 'series').values, 'values'));
};
