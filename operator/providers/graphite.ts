import { z } from 'zod';
import { basicAuthorization, finite, only, type Provider, QueryError, readJson } from './provider.ts';
import { shaped } from './shape.ts';

const answer = z.array(z.object({ datapoints: z.array(z.tuple([z.number().nullable(), z.number()])) }));

/** Parameters of Graphite's render API: `target=...&from=-5min`. The Secret may have `username` and `password`. */
export const graphite: Provider = async (query, context) => {
  const asked = new URLSearchParams(query.replace(/\s+/g, ' ').trim());
  if (!asked.has('target')) throw new QueryError('TemplateInvalid', 'spec.query has no target=');
  asked.set('format', 'json');
  const url = `${context.address.replace(/\/render$/, '')}/render?${asked}`;
  const response = await context.exchange({ url, headers: basicAuthorization(context) });
  const { datapoints } = only(shaped(answer, readJson(response)), 'series');
  const values = datapoints.map(([value]) => value).filter((value) => value !== null);
  if (values.length === 0) throw new QueryError('NoValue', 'the answer has no values');
  return finite(values.at(-1));
};
