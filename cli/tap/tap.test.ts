import { describe, expect, test } from '@jest/globals';
import { formatRequest } from './format.ts';
import { objectsIn } from './objects-in-stream.ts';
import { buildTapRequest } from './tap-request.ts';
import { readTrace } from './traced-request.ts';

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe('objects in a stream', () => {
  test.each([1, 3, 1000])('are found however it is cut (by %i)', async (size) => {
    const objects = [{ a: '}{"\\' }, { b: { c: [1, { d: '\u007b' }] } }, {}];
    const text = objects.map((one) => JSON.stringify(one, undefined, 1)).join('\n');
    const found: unknown[] = [];
    for await (const one of objectsIn(pieces(text, size))) found.push(one);
    expect(found).toEqual(objects);
  });

  test('that never end are no traces', async () => {
    const read = async () => {
      for await (const _ of objectsIn(pieces(`{"a":"${'x'.repeat(5_000_000)}`, 1_000_000)));
    };
    await expect(read()).rejects.toThrow('no trace of a request');
  });
});

const header = (key: string, value: string) => ({ key, value, raw_value: '' });
const socket = (address: string, port: number) => ({ socket_address: { address, port_value: port } });
const trace = (local: string) => ({
  http_buffered_trace: {
    request: {
      headers: [
        header(':authority', 'orders'),
        header(':path', '/cart?token=x'),
        header(':method', 'POST'),
        header('authorization', 'Bearer x'),
      ],
      headers_received_time: '2026-11-29T14:06:12.902261Z',
    },
    response: {
      headers: [header(':status', '200')],
      trailers: [header('grpc-status', '14')],
      headers_received_time: '2026-11-29T14:06:13.002761Z',
    },
    downstream_connection: { local_address: socket(local, 8080), remote_address: socket('10.0.0.9', 50654) },
  },
});

describe('a trace', () => {
  test('is a request with its answer, and nothing that is secret', () => {
    const request = readTrace(trace('10.0.0.7'), 'orders-1', ['10.0.0.7']);
    expect(request).toMatchObject({
      ...{ pod: 'orders-1', direction: 'inbound', method: 'POST', authority: 'orders', path: '/cart?token=[redacted]' },
      ...{ status: '200', grpcStatus: '14', milliseconds: 100.5, source: '10.0.0.9:50654' },
    });
    expect(JSON.stringify(request)).not.toMatch(/Bearer/);
  });

  test('of what another pod serves is outbound', () => {
    expect(readTrace(trace('10.87.0.1'), 'orders-1', ['10.0.0.7'])?.direction).toBe('outbound');
  });

  test('of something else is none', () => {
    expect(readTrace({ socket_buffered_trace: {} }, 'orders-1', [])).toBeUndefined();
  });

  test('is a line, with headers below where they are asked for', () => {
    const request = readTrace(trace('10.0.0.7'), 'orders-1', ['10.0.0.7']);
    if (request === undefined) throw new Error('no request');
    const shown = { ...request, from: 'shop/ui' };
    expect(formatRequest(shown, { withPod: false, withHeaders: false })).toMatch(
      /^14:06:12\.902 {2}in {3}shop\/ui +200 grpc 14 {2}101ms +POST {2}orders\/cart\?token=\[redacted\]$/,
    );
    const [, ...below] = formatRequest(shown, { withPod: true, withHeaders: true }).split('\n');
    expect(below).toContain('    > authorization: [redacted]');
    expect(below).toContain('    < :status: 200');
  });
});

describe('what Envoy is asked', () => {
  test('is any request, of bodies nothing, and how many of a hundred', () => {
    expect(buildTapRequest({ sample: 12.5 })).toMatchObject({
      config_id: 'heddle',
      tap_config: {
        match: { any_match: true },
        output_config: { max_buffered_rx_bytes: 0, max_buffered_tx_bytes: 0 },
        tap_enabled: { default_value: { numerator: 125_000, denominator: 'MILLION' } },
      },
    });
  });

  test('are requests that match all that is asked for', () => {
    const filters = { method: 'get', path: '/v*/cart', to: 'orders.shop', status: '5xx', sample: 100 };
    expect(buildTapRequest(filters)).toMatchObject({
      tap_config: {
        match: {
          and_match: {
            rules: [
              {
                http_request_headers_match: {
                  headers: [
                    { name: ':method', string_match: { exact: 'GET' } },
                    { name: ':path', string_match: { safe_regex: { regex: '^/v.*/cart(\\?.*)?$' } } },
                    { name: ':authority', string_match: { safe_regex: { regex: '^orders\\.shop([.:].*)?$' } } },
                  ],
                },
              },
              { http_response_headers_match: { headers: [{ name: ':status', string_match: { prefix: '5' } }] } },
            ],
          },
        },
      },
    });
  });

  test('is refused where it is no status', () => {
    expect(() => buildTapRequest({ status: 'bad', sample: 100 })).toThrow(expect.objectContaining({ code: 2 }));
  });
});
