import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnswerTally, type ManyReport } from './answer-tally.ts';
import { type CallResult, callHttp, callTcp, callTls, callWebSocket, errorCode } from './calls.ts';
import { issueCertificate } from './certificate.ts';
import { CookieJar } from './cookie-jar.ts';
import { callGrpc, callHttp2, Http2Sessions } from './http2-calls.ts';
import { fillIn, protocolOf, type RequestSpec } from './request-spec.ts';
import { WHO_AM_I } from './tcp-server.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Does what a plan says.
 * @param concurrent true: all specs at once; else one after the other
 * @returns a report for each spec, in their order
 * @throws {Error} when a spec names no protocol that there is; what a request meets is in its report
 */
export async function runPlan(specs: readonly RequestSpec[], concurrent: boolean): Promise<ManyReport[]> {
  for (const spec of specs) protocolOf(spec);
  if (concurrent) return Promise.all(specs.map(runSpec));
  const reports: ManyReport[] = [];
  for (const spec of specs) reports.push(await runSpec(spec));
  return reports;
}

/** Sends the requests of one spec. */
export async function runSpec(spec: RequestSpec): Promise<ManyReport> {
  const { count = 1, concurrency = 1, gapMs = 0, answers = 1, trace = false } = spec;
  const protocol = protocolOf(spec);
  const tally = new AnswerTally({ answers, trace, lines: protocol === 'tcp', grpc: protocol === 'grpc' });
  const caller = new Caller(spec);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      const start = performance.now();
      const result = await caller.call(index).catch((error: unknown): CallResult => ({ error: errorCode(error) }));
      tally.add(result, start);
      if (gapMs > 0 && next < count) await sleep(gapMs);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, work));
  caller.close();
  return tally.report(spec.name);
}

/** Makes the calls of one spec, with the connections and cookies they share. */
class Caller {
  readonly #spec: RequestSpec;
  readonly #agent: Agent | undefined;
  readonly #sessions: Http2Sessions | undefined;
  readonly #identity: { cert: string; key: string } | undefined;
  readonly #jar = new CookieJar();

  constructor(spec: RequestSpec) {
    this.#spec = spec;
    const { keepAlive = true, clientName } = spec;
    this.#agent = keepAlive ? new Agent({ keepAlive: true }) : undefined;
    this.#sessions = keepAlive ? new Http2Sessions() : undefined;
    if (clientName !== undefined) this.#identity = issueCertificate({ commonName: 'testbed', names: [clientName] });
  }

  async call(index: number): Promise<CallResult> {
    const { cookies = false } = this.#spec;
    const filled = fillIn(this.#spec, index);
    const cookie = cookies ? this.#jar.header() : undefined;
    const result = await this.#send(filled.url, {
      method: this.#spec.method ?? 'GET',
      headers: cookie === undefined ? filled.headers : { ...filled.headers, cookie },
      body: filled.body,
      timeoutMs: this.#spec.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    });
    // Several cookies in one answer are joined by comma and space, as `flatHeaders` does.
    if (cookies) this.#jar.take(result.headers?.['set-cookie']?.split(/, (?=[^;,=\s]+=)/) ?? []);
    return result;
  }

  close(): void {
    this.#agent?.destroy();
    this.#sessions?.close();
  }

  #send(url: string, call: Parameters<typeof callHttp>[1]): Promise<CallResult> {
    const { sni, alpn, serverFirst = false, holdMs = 0 } = this.#spec;
    const identity = this.#identity;
    const { host, hostname, port, origin, pathname } = new URL(url);
    switch (protocolOf(this.#spec)) {
      case 'http':
        return callHttp(url, { ...call, ...(this.#agent && { agent: this.#agent }) });
      case 'http2':
        return callHttp2(url, call, this.#sessions);
      case 'grpc': {
        const path = pathname === '/' ? '/testbed.Echo/Unary' : pathname;
        return callGrpc(origin, path, [call.body ?? 'message'], call.timeoutMs, call.headers, this.#sessions);
      }
      case 'tls':
        return callTls(url, {
          ...call,
          ...(sni !== undefined && { sni }),
          ...(alpn && { alpn }),
          ...(identity && { identity }),
        });
      case 'websocket':
        return callWebSocket(url, call.body ?? 'hello', call.timeoutMs);
      case 'tcp': {
        if (port === '') throw new Error(`${host}: a tcp URL needs a port`);
        const address = hostname.replace(/^\[|\]$/g, '');
        return callTcp(
          address,
          Number(port),
          serverFirst ? undefined : (call.body ?? WHO_AM_I),
          call.timeoutMs,
          holdMs,
        );
      }
    }
  }
}
