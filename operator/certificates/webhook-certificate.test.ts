import { describe, expect, test } from '@jest/globals';
import type { CertificateAuthority } from './authority.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { readyAuthority } from './testing/chain.ts';
import { renewalReason, webhookNames } from './webhook-certificate.ts';

const HOUR = 3_600_000;
const { backdateMs } = DEFAULT_LIFETIMES;
const encode = (text: string): string => Buffer.from(text).toString('base64');

async function secretFor(authority: CertificateAuthority, lifetimeMs: number, dnsNames = webhookNames('mesh', 'c.l')) {
  const names = dnsNames.map((dns) => ({ dns }));
  const issued = await authority.issue({ names, usage: ['serverAuth'], lifetimeMs });
  const data = { 'tls.crt': encode(issued.chain), 'tls.key': encode(issued.privateKey) };
  return { ...data, 'ca.crt': encode(authority.trustBundle) };
}

const expected = (lifetimeMs: number, more: Partial<Parameters<typeof renewalReason>[2]> = {}) => ({
  dnsNames: webhookNames('mesh', 'c.l'),
  backdateMs,
  lifetimeMs,
  ...more,
});

describe('the webhook certificate', () => {
  test('is kept until half of its life', async () => {
    const authority = await readyAuthority();
    const data = await secretFor(authority, HOUR);
    const now = Date.now();
    const verdict = renewalReason(data, authority, expected(HOUR), now);
    expect('renewAt' in verdict && verdict.renewAt - now).toBeGreaterThan(HOUR / 2 - 10_000);
    expect(renewalReason(data, authority, expected(HOUR), now + HOUR * 0.51)).toEqual({ reason: 'HalfLife' });
    authority.stop();
  });

  test('is made anew where there is none, or none that can be used', async () => {
    const [authority, foreign] = [await readyAuthority(), await readyAuthority()];
    const [data, another, strange] = await Promise.all([
      secretFor(authority, HOUR),
      secretFor(authority, HOUR),
      secretFor(foreign, HOUR),
    ]);
    const reasonOf = (of: Record<string, string> | undefined) =>
      renewalReason(of, authority, expected(HOUR), Date.now());
    expect(reasonOf(undefined)).toEqual({ reason: 'Missing' });
    expect(reasonOf({ ...data, 'tls.crt': encode('rubbish') })).toEqual({ reason: 'Malformed' });
    expect(reasonOf({ ...data, 'tls.key': another['tls.key'] })).toEqual({ reason: 'KeyMismatch' });
    expect(reasonOf({ ...strange, 'ca.crt': data['ca.crt'] })).toEqual({ reason: 'OtherRoot' });
    expect(reasonOf({ ...data, 'ca.crt': strange['ca.crt'] })).toEqual({ reason: 'TrustChanged' });
    for (const one of [authority, foreign]) one.stop();
  });

  test('is made anew at once when its lifetime was shortened, not when it was lengthened', async () => {
    const authority = await readyAuthority();
    const data = await secretFor(authority, 24 * HOUR);
    expect(renewalReason(data, authority, expected(HOUR), Date.now())).toEqual({ reason: 'LifetimeShortened' });
    expect(renewalReason(data, authority, expected(48 * HOUR), Date.now())).toHaveProperty('renewAt');
    authority.stop();
  });

  test('is made once, not again and again, when its intermediate allows it less', async () => {
    const authority = await readyAuthority({ ...DEFAULT_LIFETIMES, intermediateMs: HOUR });
    const data = await secretFor(authority, 24 * HOUR);
    expect(renewalReason(data, authority, expected(24 * HOUR), Date.now())).toHaveProperty('renewAt');
    authority.stop();
  });

  test('is made anew when the backdating was lengthened, which makes its beginning unknown', async () => {
    const authority = await readyAuthority({ ...DEFAULT_LIFETIMES, backdateMs: 10_000 });
    const data = await secretFor(authority, 60_000);
    expect(renewalReason(data, authority, expected(60_000), Date.now())).toEqual({ reason: 'BackdateLengthened' });
    const same = expected(60_000, { backdateMs: 10_000 });
    expect(renewalReason(data, authority, same, Date.now())).toHaveProperty('renewAt');
    authority.stop();
  });

  test('is for the names of the cluster, in the domain that the settings say', async () => {
    expect(webhookNames('mesh', 'corp.example')).toEqual([
      'heddle-webhook.mesh.svc',
      'heddle-webhook.mesh.svc.corp.example',
    ]);
    const authority = await readyAuthority();
    const data = await secretFor(authority, HOUR, webhookNames('mesh', 'cluster.local'));
    expect(renewalReason(data, authority, expected(HOUR), Date.now())).toEqual({ reason: 'OtherName' });
    authority.stop();
  });
});
