import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ensureBinary, OTEL_COLLECTOR } from '../../../hack/cluster/binaries.ts';
import { accepts } from './accepts.ts';
import { type CollectedLog, type CollectedSpan, logsIn, spansIn } from './collected.ts';
import { freePort } from './free-port.ts';
import { endProgram, startProgram } from './server-program.ts';

/** A real OpenTelemetry collector on loopback that takes spans by OTLP and Zipkin, and logs by OTLP. */
export class CollectorProcess {
  readonly ports: { readonly grpc: number; readonly http: number; readonly zipkin: number };
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(ports: CollectorProcess['ports'], folder: string) {
    this.ports = ports;
    this.#folder = folder;
  }

  static async start(): Promise<CollectorProcess> {
    const ports = { grpc: await freePort(), http: await freePort(), zipkin: await freePort() };
    const started = new CollectorProcess(ports, await mkdtemp(join(tmpdir(), 'heddle-collector-')));
    await started.resume();
    return started;
  }

  /** Starts it (again). */
  async resume(): Promise<void> {
    const config = join(this.#folder, 'config.yaml');
    await writeFile(config, stringify(this.#config()));
    const binary = await ensureBinary(OTEL_COLLECTOR);
    this.#child = await startProgram(binary, ['--config', config], () => this.#isReady());
  }

  /** Ends it; what it has taken stays. */
  async pause(): Promise<void> {
    await endProgram(this.#child);
  }

  async stop(): Promise<void> {
    await this.pause();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async spans(): Promise<CollectedSpan[]> {
    return spansIn(await this.#read('spans.json'));
  }

  async logs(): Promise<CollectedLog[]> {
    return logsIn(await this.#read('logs.json'));
  }

  /** Waits for spans that satisfy a condition. @throws {Error} after a minute, with what is there */
  async spansWhere(isWanted: (span: CollectedSpan) => boolean, count: number): Promise<CollectedSpan[]> {
    for (const end = performance.now() + 60_000; performance.now() < end; ) {
      const found = (await this.spans()).filter(isWanted);
      if (found.length >= count) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the spans did not come: ${JSON.stringify(await this.spans(), null, 1)}`);
  }

  #config() {
    const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
    const file = (name: string) => ({ path: join(this.#folder, name), append: true, flush_interval: '100ms' });
    return {
      receivers: {
        otlp: { protocols: { grpc: at(this.ports.grpc), http: at(this.ports.http) } },
        zipkin: at(this.ports.zipkin),
      },
      exporters: { 'file/spans': file('spans.json'), 'file/logs': file('logs.json') },
      service: {
        telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
        pipelines: {
          traces: { receivers: ['otlp', 'zipkin'], exporters: ['file/spans'] },
          logs: { receivers: ['otlp'], exporters: ['file/logs'] },
        },
      },
    };
  }

  async #isReady(): Promise<boolean> {
    const all = Object.values(this.ports).map((port) => accepts('127.0.0.1', port));
    return (await Promise.all(all)).every((one) => one);
  }

  #read(name: string): Promise<string> {
    return readFile(join(this.#folder, name), 'utf8').catch(() => '');
  }
}
