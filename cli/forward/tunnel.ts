import { Duplex, PassThrough, Writable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { KubeConnectionError, KubeError } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';

/** A port inside of a pod; kubelet dials it on the pod's own loopback, so what listens there alone is reached too. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** The part of a WebSocket (`ws`) that a tunnel needs. */
export interface TunnelSocket {
  pause(): void;
  resume(): void;
  close(): void;
  terminate(): void;
}

/** How long a socket gets to say goodbye. */
const GOODBYE_MS = 500;

/** Bytes to and from a port of a pod. Its protocol knows no half-closed connections: `end()` ends nothing, `destroy()` does. */
export class Tunnel extends Duplex {
  /** What goes to the pod. */
  readonly outgoing = new PassThrough();
  /** What comes from the pod. */
  readonly incoming: Writable;
  /** Why the pod's side failed, in kubelet's words. */
  readonly complaints: Writable;
  #socket: TunnelSocket | undefined;

  constructor({ namespace, pod, port }: PodPort) {
    super();
    // It may fail before anybody listens; whoever takes it looks first whether it has.
    this.on('error', () => undefined);
    this.incoming = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 0 && !this.destroyed && !this.push(chunk)) this.#socket?.pause();
        done();
      },
    });
    this.complaints = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const said = chunk.toString('utf8').trim();
        // Kubelet tells of its network namespaces too.
        const why = said.includes('connection refused') ? 'nothing listens there' : said;
        const message = `port ${port} of pod ${namespace}/${pod} does not answer: ${why}`;
        if (said !== '') this.destroy(new CliError(message, undefined, 3));
        done();
      },
    });
  }

  /** Takes the socket over which it goes from now on. */
  attach(socket: TunnelSocket): void {
    this.#socket = socket;
    if (this.destroyed) socket.terminate();
  }

  /** The socket has ended: so has the connection. */
  ended(): void {
    if (!this.destroyed) this.push(null);
  }

  // What Node's HTTP client asks of the sockets that it keeps: there is nothing to do.
  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.outgoing.write(chunk, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    socket?.resume();
    socket?.close();
    setTimeout(() => socket?.terminate(), GOODBYE_MS).unref();
    done(error);
  }
}

/**
 * Opens a connection to a port of a pod, through the API server.
 * @throws {KubeError} when the API server refuses; {KubeConnectionError} when it does not answer
 */
export async function openTunnel(config: KubeConfig, target: PodPort): Promise<Tunnel> {
  const [namespace, pod] = [encodeURIComponent(target.namespace), encodeURIComponent(target.pod)];
  const tunnel = new Tunnel(target);
  const { incoming, complaints, outgoing } = tunnel;
  // Not of its index, which brings all of the client (`cli/light-packages.ts`).
  const { PortForward } = await import('@kubernetes/client-node/dist/portforward.js');
  const socket = await new PortForward(config)
    .portForward(namespace, pod, [target.port], incoming, complaints, outgoing)
    .catch((error: unknown) => {
      throw refusal(error, target);
    });
  // A function stands for a socket that is opened anew; it was not asked for.
  if (typeof socket === 'function') throw new Error('no socket');
  socket.addEventListener('close', () => tunnel.ended());
  tunnel.attach(socket);
  if (tunnel.errored !== null) throw tunnel.errored;
  return tunnel;
}

/** What the client of WebSockets says (an ErrorEvent), as an error of the Kubernetes API. */
function refusal(event: unknown, { namespace, pod, port }: PodPort): Error {
  const { message = String(event), error } = event as { message?: string; error?: { code?: string } };
  const context = `forward port ${port} of pod ${namespace}/${pod}`;
  const code = Number(/Unexpected server response: (\d+)/.exec(message)?.[1]);
  if (code === 404) return new KubeError(404, 'NotFound', `there is no pod ${namespace}/${pod}`);
  if (code === 403) return new KubeError(403, 'Forbidden', `you may not ${context} (right: create pods/portforward)`);
  if (code > 0) return new KubeError(code, 'Refused', `${context}: HTTP ${code}`);
  return new KubeConnectionError(error?.code ?? 'EUNKNOWN', `${context}: ${message}`, error);
}
