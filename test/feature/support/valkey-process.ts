import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { valkeyBinary } from '../../../hack/valkey/binary.ts';
import { freePort } from './free-port.ts';
import { endProgram, startProgram } from './server-program.ts';

/** A real Valkey on loopback, which can be stopped and started again with what it had. */
export class ValkeyProcess {
  readonly password: string;
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string, password: string) {
    this.port = port;
    this.#folder = folder;
    this.password = password;
  }

  /** Starts one that asks for a password. */
  static async start(password: string): Promise<ValkeyProcess> {
    const valkey = new ValkeyProcess(await freePort(), await mkdtemp(join(tmpdir(), 'heddle-valkey-')), password);
    await valkey.start();
    return valkey;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<void> {
    const options = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const files = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const args = [...options, ...files, '--requirepass', this.password];
    this.#child = await startProgram(await valkeyBinary(), args, () => this.#answers());
  }

  /** Ends it at once; its connections are closed. */
  async stop(): Promise<void> {
    await endProgram(this.#child);
  }

  /** It is there and says nothing any more, until it goes on. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    this.goOn();
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      socket.write('PING\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString().startsWith('-NOAUTH');
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
