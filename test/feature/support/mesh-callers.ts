import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import { makeEndCertificate, makeRoot } from '../../../operator/certificates/certificate.ts';
import { makeKeyPair, privateKeyPem } from '../../../operator/certificates/key-pair.ts';
import { MESH_ALPN } from '../../../proxy/names.ts';

/** Who calls, and how it looks from the called workload. */
export interface Caller {
  /** Absent: in plaintext. */
  readonly principal?: string;
  /** Of loopback. */
  readonly sourceIp: string;
  readonly destinationIp: string;
  readonly serverName?: string;
  /** The only version of TLS that it speaks; absent: whatever the listener takes. */
  readonly version?: SecureVersion;
}

/** Certificates of a test's mesh. */
export interface MeshCredentials {
  readonly rootPem: string;
  readonly workload: { readonly cert: string; readonly key: string };
  readonly callers: ReadonlyMap<string, SecureContext>;
  /** The same in PEM, by principal; all have the workload's key. */
  readonly certificates: ReadonlyMap<string, string>;
}

/** @param workload principal of the called workload */
export async function makeMeshCredentials(workload: string, callers: Iterable<string>): Promise<MeshCredentials> {
  const validity = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 };
  const [above, below] = await Promise.all([makeKeyPair(), makeKeyPair()]);
  const root = await makeRoot({ ...validity, commonName: 'test root', publicKey: above.publicKey }, above.privateKey);
  const key = privateKeyPem(below.privateKey);
  const issue = async (principal: string): Promise<string> => {
    const names = [{ uri: `spiffe://${principal}` }];
    const request = { ...validity, publicKey: below.publicKey, names, usage: ['serverAuth', 'clientAuth'] as const };
    return (await makeEndCertificate(request, { certificate: root, privateKey: above.privateKey })).toString();
  };
  const contexts = new Map<string, SecureContext>();
  const certificates = new Map<string, string>();
  for (const principal of callers) {
    const cert = await issue(principal);
    certificates.set(principal, cert);
    contexts.set(principal, createSecureContext({ cert, key }));
  }
  return { rootPem: root.toString(), workload: { cert: await issue(workload), key }, callers: contexts, certificates };
}

/** How to reach a workload's inbound listener. */
export interface Entrance {
  /** Port of loopback. */
  readonly at: number;
  readonly credentials: MeshCredentials;
}

/**
 * Connects as a caller to a port of the workload.
 * @param alpn by which proxies say what they carry
 * @throws {Error} when the listener closes the connection at once
 */
export async function connectAs(
  { at, credentials }: Entrance,
  caller: Caller,
  port: number,
  alpn = MESH_ALPN,
): Promise<Socket> {
  const { principal, sourceIp, destinationIp, serverName, version } = caller;
  const raw = connect({ port: at, host: '127.0.0.1', localAddress: sourceIp });
  raw.on('error', () => {});
  raw.write(`PROXY TCP4 ${sourceIp} ${destinationIp} 40000 ${port}\r\n`);
  raw.setNoDelay(true);
  if (principal === undefined) {
    await once(raw, 'connect');
    return raw;
  }
  const cert = credentials.certificates.get(principal);
  const secureContext =
    version === undefined || cert === undefined
      ? credentials.callers.get(principal)
      : createSecureContext({ cert, key: credentials.workload.key, minVersion: version, maxVersion: version });
  if (secureContext === undefined) throw new Error(`${principal} has no certificate`);
  const socket = connectTls({
    socket: raw,
    secureContext,
    rejectUnauthorized: false,
    ALPNProtocols: [alpn],
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  socket.on('error', () => {});
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close').then(() => Promise.reject(closed()))]);
  return socket;
}

function closed(): Error {
  return new Error('the connection was closed');
}

/** What came back. */
export interface Heard {
  /** Undefined: the connection was closed without an answer, or the stream reset. */
  readonly status: number | undefined;
  readonly body: string;
}

const NOTHING: Heard = { status: undefined, body: '' };
/** No answer may take as long. */
const ANSWER_MS = 20_000;

/** Says some bytes, and hears what comes until the connection ends. */
export async function sayBytes(socket: Socket, bytes: string): Promise<string> {
  let heard = '';
  socket.on('data', (data: Buffer) => {
    heard += data.toString('latin1');
  });
  socket.setTimeout(ANSWER_MS, () => socket.destroy());
  socket.write(bytes, 'latin1');
  if (!socket.destroyed) await once(socket, 'close');
  return heard;
}

/** A connection of HTTP/1 on which one request after the other is sent, byte for byte. */
export class Http1Line {
  private readonly socket: Socket;
  private bytes = '';
  private wake: (() => void) | undefined;
  private ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    const told = (): void => this.wake?.();
    socket.on('data', (data: string) => {
      this.bytes += data;
      told();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.ended = true;
        told();
      });
    }
  }

  get usable(): boolean {
    return !this.ended && !this.socket.destroyed;
  }

  /** @param text a whole request, in Latin-1 */
  async send(text: string): Promise<Heard> {
    this.socket.write(text, 'latin1');
    const isHead = text.startsWith('HEAD ');
    for (;;) {
      const heard = this.take(isHead);
      if (heard !== undefined) return heard;
      if (!this.usable) return NOTHING;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private take(isHead: boolean): Heard | undefined {
    const end = this.bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.bytes.slice(0, end);
    const length = isHead ? 0 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.bytes.length < end + 4 + length) return undefined;
    const body = this.bytes.slice(end + 4, end + 4 + length);
    this.bytes = this.bytes.slice(end + 4 + length);
    if (/\r\nconnection: *close/i.test(head)) this.ended = true;
    return { status: Number(head.slice(9, 12)), body };
  }
}

/** A connection of HTTP/2. */
export class Http2Line {
  private readonly session: ClientHttp2Session;

  constructor(socket: Socket) {
    // The types don't know yet that a field may be there twice.
    const options = { createConnection: () => socket, strictSingleValueFields: false };
    this.session = connectHttp2('http://mesh.invalid', options);
    this.session.on('error', () => {});
  }

  get usable(): boolean {
    return !this.session.destroyed && !this.session.closed;
  }

  /** @param headers names and values by turns */
  send(headers: readonly string[]): Promise<Heard> {
    return new Promise((resolve) => {
      const stream = this.session.request(headers, { endStream: true });
      let [status, body] = [undefined as number | undefined, ''];
      stream.setTimeout(ANSWER_MS, () => stream.close());
      stream.on('response', (received) => {
        status = received[':status'];
      });
      stream.on('data', (data: Buffer) => {
        body += data.toString();
      });
      stream.on('error', () => {});
      stream.on('close', () => resolve({ status, body }));
    });
  }

  close(): void {
    this.session.destroy();
  }
}
