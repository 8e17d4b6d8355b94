import { z } from 'zod';
import { finite, LOOK_BACK, newestComplete, only, type Provider, readJson, secretKey } from './provider.ts';
import { shaped } from './shape.ts';

const answer = z.object({
  series: z.array(z.object({ pointlist: z.array(z.tuple([z.number(), z.number().nullable()])) })),
});

/** A query of Datadog's metrics. Secret: `datadog_api_key`, `datadog_application_key`. */
export const datadog: Provider = async (query, context) => {
  const { address, now, intervalMs } = context;
  const to = Math.floor(now / 1000);
  const from = to - Math.ceil((LOOK_BACK * intervalMs) / 1000);
  const asked = new URLSearchParams({ query, from: String(from), to: String(to) });
  const response = await context.exchange({
    url: `${address || 'https://api.datadoghq.com'}/api/v1/query?${asked}`,
    headers: {
      'dd-api-key': secretKey(context, 'datadog_api_key'),
      'dd-application-key': secretKey(context, 'datadog_application_key'),
    },
  });
  return finite(newestComplete(only(shaped(answer, readJson(response)).series, 'series').pointlist));
};
