import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import type { Identity } from './certificate.ts';

/** What a man in the middle is after. */
export interface MiddlemanPlan {
  /** Where he passes on what he can't read. */
  readonly relayPort: number;
  /** Where he ends TLS, with certificates of his own. */
  readonly attackPort: number;
  /** Whom he stands before. */
  readonly target: { readonly host: string; readonly port: number };
  /** As whom he speaks to callers. */
  readonly asServer: Identity;
  /** As whom he speaks to the target. */
  readonly asCaller: Identity;
  /** Protocols that he offers the target. */
  readonly alpn: readonly string[];
  /** What he asks the target for, whatever his caller wants. */
  readonly request: string;
}

/** How one side took him. */
export interface SideReport {
  /** Bytes that he could read, in Latin-1. */
  readonly heard: string;
  /** Why it went no further; empty: nothing went wrong. */
  readonly error: string;
}

/** One connection that came to him. */
export interface Meeting {
  readonly kind: 'relay' | 'attack';
  readonly caller: SideReport;
  readonly target: SideReport;
}

type Sides = (near: Socket, far: Socket, plan: MiddlemanPlan) => Promise<[SideReport, SideReport]>;

/** Who gets nowhere lets go after so long. */
const PATIENCE_MS = 10_000;

/**
 * Stands between callers and a target, on two ports.
 * @param tell gets each connection when both of its sides are over
 * @param meet connects to the target; by default plainly
 * @returns what ends it
 */
export async function serveMiddleman(
  plan: MiddlemanPlan,
  tell: (meeting: Meeting) => void,
  meet: () => Socket = () => connect(plan.target),
  host?: string,
): Promise<{ close(): void }> {
  const open = new Set<Socket>();
  const serve = async (port: number, kind: Meeting['kind'], sides: Sides): Promise<Server> => {
    const server = createServer((near) => {
      const far = meet();
      for (const socket of [near, far]) open.add(socket.once('close', () => open.delete(socket)));
      void sides(near, far, plan).then(([caller, target]) => tell({ kind, caller, target }));
    });
    server.listen(port, host);
    await once(server, 'listening');
    return server;
  };
  const servers = [await serve(plan.relayPort, 'relay', relay), await serve(plan.attackPort, 'attack', attack)];
  return {
    close: () => {
      for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function relay(near: Socket, far: Socket): Promise<[SideReport, SideReport]> {
  near.pipe(far).pipe(near);
  return Promise.all([listen(near, far), listen(far, near)]);
}

function attack(near: Socket, far: Socket, plan: MiddlemanPlan): Promise<[SideReport, SideReport]> {
  // Errors of what is below come up in what is above, too.
  for (const socket of [near, far]) socket.on('error', () => {});
  const secureContext = createSecureContext({ ...plan.asServer });
  const caller = new TLSSocket(near, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: false });
  const target = connectTls({
    socket: far,
    ...plan.asCaller,
    ALPNProtocols: [...plan.alpn],
    rejectUnauthorized: false,
  });
  target.once('secureConnect', () => target.write(plan.request));
  caller.pipe(target, { end: false }).pipe(caller, { end: false });
  return Promise.all([listen(caller, target, true), listen(target, caller, true)]);
}

/**
 * @param other ends with it
 * @param alone the other goes on by itself where this one has said nothing: it is to be heard what each has against him
 */
async function listen(socket: Socket, other: Socket, alone = false): Promise<SideReport> {
  let [heard, error] = ['', ''];
  socket.on('data', (bytes: Buffer) => {
    heard += bytes.toString('latin1');
  });
  socket.on('error', ({ message }) => {
    error = message;
  });
  if (alone) socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  if (!alone || heard !== '') other.destroySoon();
  return { heard, error };
}
