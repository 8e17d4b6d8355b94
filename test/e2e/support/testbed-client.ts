/*
 * How to write a test of traffic. One exec costs about a second, so one exec does many requests and adds them up:
 *
 *   const space = useNamespace('shift');                        // support/namespace.ts
 *   const caller = new Client(space, 'deployment/caller');
 *   clusterSetup([space], async () => {
 *     await space.apply(...versionedServer('reviews', ['v1', 'v2']), ...client('caller'));
 *     await Promise.all(['reviews-v1', 'reviews-v2', 'caller'].map((name) => space.rolledOut(name)));
 *   });
 *   await space.apply(virtualService);
 *   await programmed(space, 'virtualservice', 'reviews');       // support/conditions.ts; also condition, conditionMessage
 *   const { versions, ok } = await caller.many('http://reviews/', { count: 1000, concurrency: 8 });
 *   const [jason, other] = await caller.plan([{ url: 'http://reviews/', headers: { 'end-user': 'jason' } }, { url: 'http://reviews/' }]);
 *
 * Calls: many(url, options), plan(specs, { concurrent }), tcpMany('HOST:90', options), tls('HOST:443', { sni, clientName, alpn }).
 * Options (testbed/request-spec.ts): name protocol count concurrency gapMs method headers body keepAlive timeoutMs cookies answers trace,
 * of TCP serverFirst holdMs, of TLS sni alpn clientName. Protocols: http http2 grpc tcp tls. `{i}` and `{i%N}` in the URL, headers and
 * body are the number of the request. A header `host` takes the place of the URL's host. keepAlive (default) is one connection for each
 * concurrent request; false is one for each request. TCP and TLS always have one for each request.
 * Report (testbed/answer-tally.ts): name sent ok statuses pods versions errors latencyMs{p50,p99,max} seconds answers trace. Counts are
 * plain records without zeroes. answers[0] has status headers echo body error certificate ms; echo (testbed/echo.ts) is what the server
 * saw: pod version protocol method path headers bodyBytes remoteAddress attempt, over TLS tls{sni,alpn,client}, of /call upstream. A
 * proxy's own answer has a body and no echo. trace has { atMs, ms, outcome, pod, version } for each request.
 * Of gRPC, statuses are grpc-status (-1: none came) and headers are metadata; a path in the URL other than / is the method called.
 *
 * Servers (testbed-objects.ts): server(name, options), versionedServer(name, ['v1', 'v2'] or { v1: options, v2: options }, shared);
 * options: replicas version labels annotations env podSpec container service. Service ports: http 80, grpc 81 (h2c and gRPC), tcp 90,
 * greeting 91 (server first), https 443. Container ports 8080, 8081, 9000, 9001, 8443, control 8090.
 * Locality: labels: { 'istio-locality': 'region.zone.subzone' }. A thread pool: env: { MAX_CONCURRENT: '8' }.
 *
 * Wishes, in the query (HTTP, HTTP/2, HTTPS) or as headers (these and gRPC):
 *   status=503 / x-status      answer with it; of gRPC a gRPC status, as trailers only, which is what retries look at
 *   delay=500 / x-delay        ms before the answer              bytes=1000 / x-bytes   padding
 *   key=NAME / x-key           count under a name; echo.attempt is the count at that pod. Use a new key for each case
 *   fail=2 / x-fail            the first 2 of that key fail, at each pod: 503 (gRPC 14), or failStatus=500 / x-fail-status
 *   reset=1 / x-reset          reset instead of an answer (with fail=2: only the first 2)
 *   /call?url=URL&timeout=MS   the server calls URL (encoded; may be another /call) and answers with its status; 504 when late, 502 when failed.
 *                              Passes on x-request-id x-key end-user traceparent tracestate b3 x-b3-traceid x-b3-spanid
 *
 * Asking and setting the servers, past the mesh, by one exec for all pods:
 *   const pods = await testbedPods(space, 'app=reviews,version=v2');                 // support/testbed-pods.ts: name, ip, labels
 *   const seen = await caller.seen(pods, 'my-key');        // for each pod: count, hosts (e.g. 'reviews-shadow'), gapsMs between requests
 *   await caller.behave(pods, { errors: true });           // errors status delay reset ready concurrent burn hold forget; false or 0 undoes
 * The control port is out of the mesh for versionedServer. For server() in STRICT, or a client in REGISTRY_ONLY, add
 * annotations: CONTROL_OUTSIDE_MESH.
 *
 * Envoy of a pod (proxy-admin.ts): new ProxyAdmin(space, 'deployment/caller') has stats(filter), total(filter), endpoints(clusterPrefix)
 * (address weight priority locality failures stats), config('dynamic_active_clusters', nameRegex), get(path), post(path).
 * Certificates: issueCertificate({ commonName, names, issuer, authority }) of testbed/certificate.ts; mount a Secret and set env
 * TLS_CERT_FILE, TLS_KEY_FILE, TLS_CA_FILE, or let the server make its own with TLS_NAMES: 'a.example,spiffe://b/c'.
 */
import type { ManyReport } from '../testbed/answer-tally.ts';
import type { CallResult } from '../testbed/calls.ts';
import type { Echo } from '../testbed/echo.ts';
import type { LoadReport } from '../testbed/load.ts';
import type { RequestSpec } from '../testbed/request-spec.ts';
import type { SeenReport } from '../testbed/server-state.ts';
import type { TestNamespace } from './namespace.ts';
import { CONTROL_PORT } from './testbed-objects.ts';
import type { TestbedPod } from './testbed-pods.ts';

export type { CallResult, Echo, LoadReport, ManyReport, RequestSpec, SeenReport };

/** What a request of a spec is beside its URL; see `RequestSpec` for what each option means. */
export type ManyOptions = Omit<RequestSpec, 'url'>;

/** How servers behave from now on; what is left out stays as it is. `forget` empties what they have seen. */
export interface BehaviourChange {
  readonly errors?: boolean;
  readonly status?: number;
  readonly delay?: number;
  readonly reset?: boolean;
  readonly ready?: boolean;
  /** Requests worked on at once; 0 for any number. */
  readonly concurrent?: number;
  /** Part of a core that is used up. */
  readonly burn?: number;
  /** MiB that are held. */
  readonly hold?: number;
  readonly forget?: boolean;
}

export interface LoadOptions {
  readonly rate?: number;
  readonly methods?: readonly string[];
  readonly bodyBytes?: number;
  readonly keepAlive?: boolean;
}

export interface HttpOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How long a plan may take. */
const PLAN_MS = 180_000;
/** A load that lasts as long as something else is ended after so long all the same. */
const LOAD_MS = 1_200_000;

/** Drives the callers of the testbed in a pod, by `kubectl exec`: no port is forwarded, and the calls take the pod's own way. */
export class Client {
  readonly #namespace: TestNamespace;
  readonly #target: string;

  /** @param target pod or `deployment/NAME` of the testbed */
  constructor(namespace: TestNamespace, target: string) {
    this.#namespace = namespace;
    this.#target = target;
  }

  /** One HTTP/1.1 request. `error` tells why there was no answer. */
  http(url: string, { method = 'GET', body, headers = {} }: HttpOptions = {}): Promise<CallResult> {
    const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}=${value}`]);
    return this.#exec(['http', url, '--method', method, ...given, ...(body === undefined ? [] : ['--body', body])]);
  }

  /** One HTTP/1.1 request, and what the server saw of it. @throws {Error} when it is not answered 200 by a testbed server */
  async echo(url: string, options: HttpOptions = {}): Promise<Echo> {
    const result = await this.http(url, options);
    if (result.status !== 200 || result.body === undefined) throw new Error(`${url}: ${JSON.stringify(result)}`);
    return JSON.parse(result.body) as Echo;
  }

  http2(url: string): Promise<CallResult> {
    return this.#exec(['http2', url]);
  }

  grpc(origin: string, kind: 'unary' | 'stream' | 'health' = 'unary'): Promise<CallResult> {
    return this.#exec(['grpc', origin, kind]);
  }

  webSocket(url: string, message = 'hello'): Promise<CallResult> {
    return this.#exec(['websocket', url, '--body', message]);
  }

  /** @param message sent first; without it the server must speak first */
  tcp(address: string, message?: string): Promise<CallResult> {
    return this.#exec(['tcp', address, ...(message === undefined ? [] : ['--body', message])]);
  }

  /** Sends GETs and POSTs at a steady rate and tells what came of them. */
  load(
    url: string,
    { seconds = 10, ...options }: LoadOptions & { readonly seconds?: number } = {},
  ): Promise<LoadReport> {
    return this.#exec([...loadArguments(url, options), '--seconds', `${seconds}`], (seconds + 60) * 1000);
  }

  /**
   * Like `load`, from before `work` begins until it is through, however long that takes.
   * @returns what the load met with, and what the work gave
   * @throws {Error} what the work throws, else when the load itself broke off
   */
  async loadDuring<T>(url: string, options: LoadOptions, work: () => Promise<T>): Promise<[LoadReport, T]> {
    const args = this.#command([...loadArguments(url, options), '--until-input-ends'], '-i');
    const load = this.#namespace.kubectl.open(args, LOAD_MS);
    await load.begun;
    const given = await work().catch(async (error: unknown) => {
      await load.end();
      throw error;
    });
    const { code, stdout, stderr } = await load.end();
    if (code !== 0) throw new Error(`a load of ${url} broke off: ${stderr.trim()}`);
    return [JSON.parse(stdout) as LoadReport, given];
  }

  /** Many requests to one URL by one exec, added up. */
  many(url: string, options: ManyOptions = {}): Promise<ManyReport> {
    const spec: RequestSpec = { ...options, url };
    return this.#exec(['many', JSON.stringify(spec)], PLAN_MS);
  }

  /**
   * Several kinds of requests by one exec, one kind after the other unless told.
   * @returns a report for each spec, in their order
   */
  plan<const Specs extends readonly RequestSpec[]>(
    specs: Specs,
    { concurrent = false } = {},
  ): Promise<{ readonly [Index in keyof Specs]: ManyReport }> {
    return this.#exec(['plan', JSON.stringify(specs), ...(concurrent ? ['--concurrent'] : [])], PLAN_MS);
  }

  /** Many TCP connections, counted by who answers. @param address `HOST:PORT`; the greeting port needs `serverFirst: true` */
  tcpMany(address: string, options: ManyOptions = {}): Promise<ManyReport> {
    return this.many(`tcp://${address}`, { ...options, protocol: 'tcp' });
  }

  /** HTTPS requests, each on a TLS connection of its own that believes any certificate. @param address `HOST:PORT` */
  tls(address: string, options: ManyOptions = {}): Promise<ManyReport> {
    return this.many(`https://${address}/`, { ...options, protocol: 'tls' });
  }

  /** What each of the pods has seen of the requests with a key, by one exec. Pods that have seen none count 0. */
  async seen(pods: readonly TestbedPod[], key: string): Promise<readonly SeenReport[]> {
    const answers = await this.#control(pods, 'GET', `/seen?${new URLSearchParams({ key })}`);
    // The control port answers with what `ServerState.seen` gives.
    return answers.map((answer) => answer as SeenReport);
  }

  /** Changes how each of the pods behaves, by one exec. */
  async behave(pods: readonly TestbedPod[], change: BehaviourChange): Promise<void> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(change)) query.set(name, String(Number(value)));
    await this.#control(pods, 'POST', `/admin?${query}`);
  }

  async #control(pods: readonly TestbedPod[], method: string, path: string): Promise<unknown[]> {
    const specs = pods.map(({ ip }) => {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      return { url: `http://${host}:${CONTROL_PORT}${path}`, method };
    });
    const reports = await this.plan(specs, { concurrent: true });
    return reports.map(({ answers: [answer] }, i) => {
      if (answer?.status !== 200) throw new Error(`${method} ${path} of ${pods[i]?.name}: ${JSON.stringify(answer)}`);
      return answer.echo;
    });
  }

  async #exec<T>(args: readonly string[], timeoutMs = 60_000): Promise<T> {
    const output = await this.#namespace.kubectl.run(this.#command(args), { timeoutMs });
    return JSON.parse(output) as T;
  }

  #command(args: readonly string[], ...flags: readonly string[]): string[] {
    const exec = ['exec', ...flags, this.#target, '-c', 'app', '--', 'node', '/app/main.ts'];
    return ['-n', this.#namespace.name, ...exec, ...args];
  }
}

function loadArguments(url: string, options: LoadOptions): string[] {
  const { rate = 50, methods = ['GET', 'POST'], bodyBytes = 1024, keepAlive = true } = options;
  const numbers = ['--rate', `${rate}`, '--body-bytes', `${bodyBytes}`];
  return ['load', url, ...numbers, '--methods', methods.join(','), ...(keepAlive ? [] : ['--no-keep-alive'])];
}
