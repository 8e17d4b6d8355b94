import type { Caller } from './mesh-callers.ts';

/** Words of which policies and requests are drawn alike, so that they have to do with each other. */

export const NAMESPACES = ['shop', 'shop-2', 'ns', 'admin'];
export const ACCOUNTS = ['ui', 'ui-admin', 'ordering', 'sa', 'default'];
export const TRUST_DOMAINS = ['cluster.local', 'other.example', 'cluster.local.evil.example'];
export const PRINCIPALS = [
  'cluster.local/ns/shop/sa/ui',
  'cluster.local/ns/shop/sa/ordering',
  'cluster.local/ns/shop-2/sa/ui',
  'cluster.local/ns/shop/sa/ui-admin',
  'other.example/ns/shop/sa/ui',
  'cluster.local.evil.example/ns/shop/sa/ui',
  // Their parts are words of the form itself.
  'cluster.local/ns/ns/sa/sa',
  'other.example/ns/admin/sa/default',
];
export const SOURCE_IPS = ['127.0.0.1', '127.0.0.9', '127.1.2.3'];
export const DESTINATION_IPS = ['127.0.0.1', '127.0.0.2'];
export const SERVER_NAMES = ['outbound_.80_._.inventory.shop.svc.cluster.local', 'shop.example', undefined];

/** All with a certificate, and one without. */
export const CALLERS: readonly Caller[] = [...PRINCIPALS, undefined].flatMap((principal, index) =>
  SOURCE_IPS.map((sourceIp, second): Caller => {
    const serverName = SERVER_NAMES[(index + second) % SERVER_NAMES.length];
    return {
      sourceIp,
      destinationIp: DESTINATION_IPS[(index + second) % DESTINATION_IPS.length] ?? '127.0.0.1',
      ...(principal !== undefined && { principal }),
      ...(principal !== undefined && serverName !== undefined && { serverName }),
    };
  }),
);

export const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
export const PATHS = [
  '/',
  '/admin',
  '/admin/',
  '/admin/secret',
  '/Admin',
  '/api/v1/items',
  '/api/v1/items/7',
  '/api',
  '/users/7/orders',
  '/users/a=b',
  '/users/a*b/orders',
  '/users/%2F/orders',
  "/users/!$&'()+,;:@",
  '/a',
  '/a/b',
  '/a//b',
  '/a/b;v=1/c',
  '/a%2Fb',
  '/files/report.pdf',
  '/shop.Inventory/Reserve',
];
export const SEGMENTS = [
  'admin',
  'secret',
  'a',
  'b',
  '7',
  'a=b',
  'x*y',
  '~u',
  'v1.2',
  'Admin',
  '%2F',
  '[x]',
  "it's",
  '*',
];
export const HOSTS = [
  'shop.example',
  'api.shop.example',
  'shop.example:8080',
  'evil.example',
  'inventory.shop.svc.cluster.local',
  '127.0.0.1:80',
  '[::1]:80',
];
export const HEADERS = ['x-team', 'x-role', 'user-agent', 'x-multi', 'cookie', 'authorization', 'x_under'];
export const HEADER_VALUES = [
  'ann',
  'bob',
  'ann,bob',
  'admin',
  'ANN',
  'a b',
  'Mozilla/5.0',
  'Bearer x',
  'a=1; b=2',
  'x*y',
];
export const REMOTE_IPS = ['10.1.2.3', '10.200.0.1', '192.0.2.7', '2001:db8::7'];
export const BLOCKS = [
  '127.0.0.1',
  '127.0.0.0/24',
  '127.0.0.0/8',
  '127.1.0.0/16',
  '10.1.2.3',
  '10.0.0.0/8',
  '2001:db8::/32',
  '::1',
  '0.0.0.0/0',
];
