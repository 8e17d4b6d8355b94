import { extensionProvider } from '../../../api/extension-provider.ts';
import type { Draw } from '../../../operator/xds/testing/draw.ts';

const TEXTS = [
  'a',
  'x-a',
  'A',
  '*',
  '**',
  '!',
  '%',
  '%%',
  '%PROTOCOL%',
  '%REQ(x-a)%',
  "'",
  '"',
  '\\',
  '\n',
  'ä',
  ':',
  '/',
  '.',
  '_',
  '-',
  ' ',
  '~',
];
const STATUSES = ['100', '200', '226', '300', '306', '400', '418', '425', '451', '500', '503', '511', '599', '0', 'x'];

/** A provider of a host, with the fields there are, most of whose values are odd; only one that the mesh's settings may have. */
export function oddProvider(draw: Draw, service: string, port: number) {
  for (;;) {
    const { success, data } = extensionProvider.safeParse(draft(draw, service, port));
    if (success) return data;
  }
}

function draft(draw: Draw, service: string, port: number): unknown {
  const isHttp = draw.once(2);
  const body = {
    maxRequestBytes: draw.one([1, 8192, 2 ** 32 - 1, 2 ** 32, 0]),
    allowPartialMessage: draw.once(2),
    packAsBytes: draw.once(2) && !isHttp,
  };
  const common = {
    service,
    port,
    failOpen: draw.once(2),
    clearRouteCache: draw.once(8),
    ...(draw.once(2) ? { timeout: draw.one(['1ms', '0.1ms', '600s', '9999h', '1h2m3s']) } : {}),
    ...(draw.once(2) ? { statusOnError: draw.one(STATUSES) } : {}),
    ...(draw.once(2) ? { includeRequestBodyInCheck: body } : {}),
  };
  const name = oddText(draw);
  if (!isHttp) return { name, envoyExtAuthzGrpc: common };
  const names = () => draw.list(0, 2, () => oddText(draw));
  const http = {
    ...common,
    ...(draw.once(2) ? { pathPrefix: `/${oddText(draw)}` } : {}),
    includeRequestHeadersInCheck: names(),
    ...(draw.once(2) ? { includeAdditionalHeadersInCheck: { [oddText(draw)]: oddText(draw) } } : {}),
    headersToUpstreamOnAllow: names(),
    headersToDownstreamOnDeny: names(),
    headersToDownstreamOnAllow: names(),
  };
  return { name, envoyExtAuthzHttp: http };
}

function oddText(draw: Draw): string {
  return draw.list(1, 3, () => draw.one(TEXTS)).join('');
}
