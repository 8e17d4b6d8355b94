import type { IncomingHttpHeaders } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Hop, readChain } from './answer.ts';
import { call, errorCode, tracingHeaders } from './client.ts';
import type { Settings } from './settings.ts';

export interface ShopRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/**
 * Answers one request as UI, Ordering or Inventory: waits and fails as told, else calls the next service with the same
 * method, path and body.
 */
export async function serveShop(settings: Settings, { method, path, headers, body }: ShopRequest): Promise<Answer> {
  const self: Hop = { service: settings.role, version: settings.version, pod: hostname() };
  if (settings.delayMs > 0) await sleep(settings.delayMs);
  if (Math.random() < settings.errorRate) return { status: 500, chain: [{ ...self, error: 'ERROR_RATE says so' }] };
  if (settings.next === undefined) return { status: method === 'POST' ? 201 : 200, chain: [self] };
  try {
    const response = await call(
      method,
      settings.next + path,
      tracingHeaders(headers),
      method === 'POST' ? body : undefined,
    );
    const chain = readChain(response.body);
    if (response.status < 400) return { status: response.status, chain: [self, ...chain] };
    return { status: 502, chain: [{ ...self, error: `${settings.next} answered ${response.status}` }, ...chain] };
  } catch (error) {
    return { status: 502, chain: [{ ...self, error: `${settings.next}: ${errorCode(error)}` }] };
  }
}
