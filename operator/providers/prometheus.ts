import { z } from 'zod';
import { basicAuthorization, finite, only, type Provider, QueryError, readJson } from './provider.ts';
import { shaped } from './shape.ts';

const sample = z.tuple([z.number(), z.string()]);
const answer = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: sample })) }),
  z.object({ resultType: z.literal('scalar'), result: sample }),
  z.object({ resultType: z.literal('matrix'), result: z.unknown() }),
  z.object({ resultType: z.literal('string'), result: z.unknown() }),
]);
const failure = z.object({ error: z.string() });
const success = z.object({ data: answer });

/** PromQL, asked at this moment. The Secret may have `username` and `password`, or a `token`. */
export const prometheus: Provider = async (query, context) => {
  const url = `${context.address}/api/v1/query?${new URLSearchParams({ query, time: String(context.now / 1000) })}`;
  const token = context.secret.get('token');
  const authorization = token === undefined ? basicAuthorization(context) : { authorization: `Bearer ${token}` };
  const response = await context.exchange({ url, headers: { accept: 'application/json', ...authorization } });
  const refused = failure.safeParse(parsed(response.text));
  if (response.status !== 200 && refused.success)
    throw new QueryError('ServerRefused', `Prometheus says: ${refused.data.error.slice(0, 200)}`);
  const { data } = shaped(success, readJson(response));
  if (data.resultType === 'vector') return finite(only(data.result, 'series').value[1]);
  if (data.resultType === 'scalar') return finite(data.result[1]);
  throw new QueryError('SeveralValues', `the query comes to a ${data.resultType}; it must come to one number`);
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
