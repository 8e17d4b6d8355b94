import type { ManyReport } from './testbed-client.ts';
import { HTTP_PORT, HTTP2_PORT, TCP_PORT, TLS_PORT } from './testbed-objects.ts';

/** A rule of `spec.http`, `spec.tls` or `spec.tcp`. */
export type Rule = Readonly<Record<string, unknown>>;

/** The server behind every host of the tests, in versions v1 and v2. */
export const SERVER = 'ordering';

/** One destination: a version of the server, or all of it. */
export const destination = (subset?: string, port?: number): object => ({
  host: SERVER,
  ...(subset === undefined ? {} : { subset }),
  ...(port === undefined ? {} : { port: { number: port } }),
});

/** A rule's only destination. @param port of the server's Service; without it the port that was called */
export const to = (subset?: string, port?: number): object[] => [{ destination: destination(subset, port) }];

/** Destinations by weight. */
export const shares = (v1: number, v2: number, port?: number): object[] => [
  { destination: destination('v1', port), weight: v1 },
  { destination: destination('v2', port), weight: v2 },
];

/** A rule whose answers carry its name in the header `x-rule`. */
export const marked = (name: string, match: object, rest: object = { route: to('v1', 80) }): Rule => ({
  name,
  match: [match],
  headers: { response: { set: { 'x-rule': name } } },
  ...rest,
});

/** Which rule answered a request (see `marked`); where none did, the status. */
export const ruleOf = (report: ManyReport | undefined): string =>
  report?.answers[0]?.headers?.['x-rule'] ?? Object.keys(report?.statuses ?? {}).join();

export const virtualService = (name: string, spec: object): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name },
  spec,
});

/** The server's versions as subsets of a host that leads to it. */
export const subsetsOf = (host: string): object => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: host },
  spec: { host, subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })) },
});

/** A Service of its own name for the server's pods: each test has a host for itself, and all share two pods. */
export const alias = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    selector: { app: SERVER },
    ports: [
      { name: 'http', port: 80, targetPort: HTTP_PORT },
      { name: 'grpc', port: 81, targetPort: HTTP2_PORT },
      { name: 'tcp', port: 90, targetPort: TCP_PORT },
      { name: 'https', port: 443, targetPort: TLS_PORT },
      { name: 'http-other', port: 8000, targetPort: HTTP_PORT },
    ],
  },
});

/**
 * Collects the objects of a file's tests, so that all are applied at once and waited for once, while each stands beside its test.
 */
export class RuleBook {
  readonly #objects: object[] = [];
  readonly #names: string[] = [];

  /** A host, which leads to the server, with a VirtualService of the same name. @param spec beside `hosts` */
  host(name: string, spec: object): void {
    this.#objects.push(alias(name));
    this.virtualService(name, { hosts: [name], ...spec });
  }

  virtualService(name: string, spec: object): void {
    this.#objects.push(virtualService(name, spec));
    this.#names.push(name);
  }

  add(...objects: object[]): void {
    this.#objects.push(...objects);
  }

  get objects(): readonly object[] {
    return this.#objects;
  }

  /** Names of the VirtualServices. */
  get virtualServices(): readonly string[] {
    return this.#names;
  }
}
