import { createSign } from 'node:crypto';
import { z } from 'zod';
import { finite, only, type Provider, type QueryContext, QueryError, readJson, secretKey } from './provider.ts';
import { shaped } from './shape.ts';

const SCOPE = 'https://www.googleapis.com/auth/monitoring.read';
const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const TOKEN_SECONDS = 300;

const key = z.object({ client_email: z.string(), private_key: z.string() });
const token = z.object({ access_token: z.string() });
const value = z.object({ doubleValue: z.number().optional(), int64Value: z.string().optional() });
const answer = z.object({
  timeSeriesData: z.array(z.object({ pointData: z.array(z.object({ values: z.array(value) })) })).default([]),
});

/**
 * MQL of Google's Cloud Monitoring. Secret: `project`, and `serviceAccountKey`, the key of a service account in JSON; the role of the operator's own
 * pod or machine is not used. Points come newest first.
 */
export const stackdriver: Provider = async (query, context) => {
  const project = encodeURIComponent(secretKey(context, 'project'));
  const response = await context.exchange({
    method: 'POST',
    url: `${context.address || 'https://monitoring.googleapis.com'}/v3/projects/${project}/timeSeries:query`,
    headers: { authorization: `Bearer ${await accessToken(context)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { pointData } = only(shaped(answer, readJson(response)).timeSeriesData, 'series');
  const [newest] = pointData;
  if (newest === undefined) throw new QueryError('NoValue', 'the answer has no values');
  const { doubleValue, int64Value } = only(newest.values, 'values');
  return finite(doubleValue ?? int64Value);
};

/** A token for one query, had for a signed statement of who asks (RFC 7523). */
async function accessToken(context: QueryContext): Promise<string> {
  const text = secretKey(context, 'serviceAccountKey');
  const { client_email: issuer, private_key: pem } = readKey(text);
  const issued = Math.floor(context.now / 1000);
  const claims = { iss: issuer, scope: SCOPE, aud: TOKEN_URI, iat: issued, exp: issued + TOKEN_SECONDS };
  const unsigned = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) => base64url(JSON.stringify(part))).join('.');
  const assertion = `${unsigned}.${signature(unsigned, pem)}`;
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  const response = await context.exchange({
    method: 'POST',
    url: TOKEN_URI,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: String(new URLSearchParams(grant)),
  });
  return shaped(token, readJson(response)).access_token;
}

function readKey(text: string): z.output<typeof key> {
  try {
    return key.parse(JSON.parse(text));
  } catch {
    throw new QueryError('SecretUnreadable', 'serviceAccountKey of the Secret is no key of a service account in JSON');
  }
}

function signature(text: string, pem: string): string {
  try {
    return createSign('RSA-SHA256').update(text).sign(pem).toString('base64url');
  } catch {
    throw new QueryError('SecretUnreadable', 'private_key in serviceAccountKey of the Secret is no RSA key');
  }
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
