import { expect, test } from '@jest/globals';
import { redactHeader, redactLine, redactPath } from './redact.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

test.each([
  ['authorization', 'Bearer x'],
  ['Authorization', 'Basic x'],
  ['proxy-authorization', 'x'],
  ['cookie', 'a=b'],
  ['set-cookie', 'a=b'],
  ['x-api-key', 'x'],
  ['x-shop-api-key', 'x'],
  ['x-shop-token', 'x'],
  ['x-client-secret', 'x'],
  ['x-user-password', 'x'],
  ['x-original-authorization', 'Bearer x'],
  ['x-session-id', 'x'],
  ['proxy-authenticate', 'x'],
])('%s is not shown', (name, value) => {
  expect(redactHeader(name, value)).toBe('[redacted]');
});

test.each([
  ['x-request-id', '1f3c', '1f3c'],
  [':status', '200', '200'],
  ['content-type', 'text/plain', 'text/plain'],
  ['x-any', `a ${JWT} b`, 'a [redacted] b'],
  [':path', '/a?token=x&b=c', '/a?token=[redacted]&b=c'],
  ['referer', 'https://u:p@host/a?api_key=x', 'https://[redacted]@host/a?api_key=[redacted]'],
  ['x-original-uri', '/a?token=x', '/a?token=[redacted]'],
  ['location', `/login?state=1&id_token=${JWT}`, '/login?state=1&id_token=[redacted]'],
])('of %s only what may be', (name, value, shown) => {
  expect(redactHeader(name, value)).toBe(shown);
});

test.each([
  ['/cart', '/cart'],
  ['/cart?page=2&sort=price', '/cart?page=2&sort=price'],
  ['/a?access_token=x', '/a?access_token=[redacted]'],
  ['/a?X-Amz-Signature=x&X-Amz-Date=1', '/a?X-Amz-Signature=[redacted]&X-Amz-Date=1'],
  ['/a?refreshToken=x', '/a?refreshToken=[redacted]'],
  ['/a?%74oken=x', '/a?%74oken=[redacted]'],
  ['/a?a=1?password=x', '/a?a=1?password=x'],
  [`/verify/${JWT}`, '/verify/[redacted]'],
  ['/a?token', '/a?token'],
  ['/a?%zz=1', '/a?%zz=1'],
  ['/a?b=c#access_token=x', '/a?b=c#[redacted]'],
])('of the path %s too', (path, shown) => {
  expect(redactPath(path)).toBe(shown);
});

test.each([
  ['{"path":"/a?token=x&b=c","code":403}', '{"path":"/a?token=[redacted]&b=c","code":403}'],
  [`got ${JWT}, from "https://u:p@host/a"`, 'got [redacted], from "https://[redacted]@host/a"'],
  ['info ads: is it so? yes', 'info ads: is it so? yes'],
])('of the line %s too', (line, shown) => {
  expect(redactLine(line)).toBe(shown);
});
