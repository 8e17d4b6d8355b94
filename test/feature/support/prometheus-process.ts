import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { prometheusBinary } from '../../../hack/prometheus/binary.ts';
import { freePort } from './free-port.ts';
import { endProgram, startProgram } from './server-program.ts';

/** `test`, as Prometheus' own guide to basic authentication has it. */
export const PASSWORD = 'test';
const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay';

/** A real Prometheus on loopback that asks for a password and scrapes, each second, metrics that a test sets. */
export class PrometheusProcess {
  readonly url: string;
  /** What is scraped, in Prometheus' text format. */
  metrics = '';
  readonly #folder: string;
  readonly #exporter: Server;
  #child: ChildProcess | undefined;

  private constructor(port: number, folder: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#exporter = createServer((_, response) => response.end(this.metrics));
  }

  static async start(): Promise<PrometheusProcess> {
    const started = new PrometheusProcess(await freePort(), await mkdtemp(join(tmpdir(), 'heddle-prometheus-')));
    await started.#start();
    return started;
  }

  async #start(): Promise<void> {
    this.#exporter.listen(0, '127.0.0.1');
    await once(this.#exporter, 'listening');
    const { port } = this.#exporter.address() as AddressInfo;
    const config = join(this.#folder, 'prometheus.yml');
    const web = join(this.#folder, 'web.yml');
    const job = { job_name: 'test', static_configs: [{ targets: [`127.0.0.1:${port}`] }] };
    await writeFile(config, stringify({ global: { scrape_interval: '1s' }, scrape_configs: [job] }));
    await writeFile(web, stringify({ basic_auth_users: { admin: HASH } }));
    const files = [`--config.file=${config}`, `--web.config.file=${web}`, `--storage.tsdb.path=${this.#folder}/data`];
    const listen = `--web.listen-address=${new URL(this.url).host}`;
    const args = [...files, listen, '--log.level=error'];
    this.#child = await startProgram(await prometheusBinary(), args, () => this.#isReady());
  }

  async stop(): Promise<void> {
    this.#exporter.closeAllConnections();
    this.#exporter.close();
    await endProgram(this.#child);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    const headers = { authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` };
    const answer = await fetch(`${this.url}/-/ready`, { headers }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status === 200;
  }
}
