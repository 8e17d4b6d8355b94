import { z } from 'zod';
import { signV4 } from './aws-signature.ts';
import { finite, LOOK_BACK, only, type Provider, QueryError, readJson, secretKey } from './provider.ts';
import { shaped } from './shape.ts';

const answer = z.object({
  MetricDataResults: z.array(z.object({ StatusCode: z.string().optional(), Values: z.array(z.number()) })),
});

/**
 * A list of MetricDataQueries in JSON, one of which returns data. Secret: `aws_access_key_id`, `aws_secret_access_key`, and `aws_session_token` where
 * there is one; the role of the operator's own pod or machine is not used.
 */
export const cloudwatch: Provider = async (query, context) => {
  const { address, region, now, intervalMs } = context;
  const url = `${address || `https://monitoring.${region}.amazonaws.com`}/`;
  const body = JSON.stringify({
    StartTime: (now - LOOK_BACK * intervalMs) / 1000,
    EndTime: now / 1000,
    MaxDatapoints: 20,
    ScanBy: 'TimestampDescending',
    MetricDataQueries: queriesIn(query),
  });
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'GraniteServiceVersion20100801.GetMetricData',
  };
  const sessionToken = context.secret.get('aws_session_token');
  const signed = signV4(
    { method: 'POST', url, headers, body },
    {
      accessKeyId: secretKey(context, 'aws_access_key_id'),
      secretAccessKey: secretKey(context, 'aws_secret_access_key'),
      ...(sessionToken ? { sessionToken } : {}),
    },
    { region, service: 'monitoring', now },
  );
  const response = await context.exchange({ method: 'POST', url, headers: signed, body });
  const { Values, StatusCode } = only(shaped(answer, readJson(response)).MetricDataResults, 'results');
  if (StatusCode === 'InternalError' || StatusCode === 'Forbidden')
    throw new QueryError('ServerRefused', `CloudWatch says ${StatusCode}`);
  const [newest] = Values;
  if (newest === undefined) throw new QueryError('NoValue', 'the answer has no values');
  return finite(newest);
};

function queriesIn(query: string): unknown[] {
  try {
    const queries: unknown = JSON.parse(query);
    if (Array.isArray(queries)) return queries;
  } catch {
    // Said below.
  }
  throw new QueryError('TemplateInvalid', 'spec.query is no list of MetricDataQueries in JSON once it is filled in');
}
