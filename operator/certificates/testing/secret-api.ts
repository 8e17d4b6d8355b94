import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { answerJson, FaultServer } from '../../../kube/testing/fault-server.ts';

const OBJECT = /^\/api\/v1\/namespaces\/([^/]+)\/(secrets|configmaps)\/([^/]+)$/;

interface ReviewBody {
  readonly spec: {
    readonly user: string;
    readonly resourceAttributes: {
      readonly namespace: string;
      readonly resource: string;
      readonly name: string;
      readonly verb: string;
    };
  };
}

/** An API server with Secrets, ConfigMaps and who may get them. Objects are named `secrets/NAMESPACE/NAME`. */
export class SecretApi {
  /** What the operator may get. */
  readonly granted = new Set<string>();
  /** Who else may get what: `system:serviceaccount:NS:SA secrets/NAMESPACE/NAME`. */
  readonly allowed = new Set<string>();
  /** Set to answer everything with this code. */
  broken: number | undefined;
  /** Set to answer nothing any more. */
  silent = false;
  readonly #objects = new Map<string, object>();
  readonly #server = new FaultServer((request, response) => void this.#answer(request, response));
  #version = 0;

  start(): Promise<KubeApi> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** Every request, as `METHOD PATH`. */
  get requests(): readonly string[] {
    return this.#server.requests;
  }

  /** @param data as text; the data of Secrets is encoded */
  put(object: string, data: Readonly<Record<string, string>>): void {
    const [kind, namespace, name] = object.split('/');
    const encode = (text: string): string => (kind === 'secrets' ? Buffer.from(text).toString('base64') : text);
    const encoded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, encode(text)]));
    const metadata = { namespace, name, uid: object, resourceVersion: String(++this.#version) };
    this.#objects.set(object, { metadata, data: encoded });
  }

  remove(object: string): void {
    this.#objects.delete(object);
  }

  /** Lets the operator and a ServiceAccount get an object, as a RoleBinding does. */
  grant(object: string, namespace: string, serviceAccount: string): void {
    this.granted.add(object);
    this.allowed.add(`system:serviceaccount:${namespace}:${serviceAccount} ${object}`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request) body += String(part);
    if (this.silent) return;
    if (this.broken !== undefined) return refuse(response, this.broken);
    const [, namespace, plural, name] = OBJECT.exec(request.url ?? '') ?? [];
    if (name === undefined) return this.#review(response, JSON.parse(body));
    const key = `${plural}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (!this.granted.has(key)) return refuse(response, 403);
    if (object === undefined) return refuse(response, 404);
    answerJson(response, object);
  }

  #review(response: ServerResponse, { spec }: ReviewBody): void {
    const { namespace, resource, name, verb } = spec.resourceAttributes;
    const allowed = verb === 'get' && this.allowed.has(`${spec.user} ${resource}/${namespace}/${name}`);
    answerJson(response, { status: { allowed } }, 201);
  }
}

function refuse(response: ServerResponse, code: number): void {
  answerJson(response, { kind: 'Status', code, reason: 'Refused', message: 'by the test' }, code);
}
