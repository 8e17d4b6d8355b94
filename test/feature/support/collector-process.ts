import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ensureBinary, OTEL_COLLECTOR } from '../../../hack/cluster/binaries.ts';
import { accepts } from './accepts.ts';
import { freePort } from './free-port.ts';
import { endProgram, startProgram } from './server-program.ts';

/** A span as the collector has it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 2: of a server, 3: of a client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Of whom it is. */
  readonly resource: Readonly<Record<string, string>>;
}

/** A line of a log as the collector has it. */
interface CollectedLog {
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
}

type Value = Readonly<Record<string, unknown>>;
type Attributes = readonly { readonly key: string; readonly value: Value }[] | undefined;

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
    const messages = await this.#read('spans.json');
    return messages.flatMap(({ resourceSpans = [] }: Value & { resourceSpans?: ResourceSpans[] }) =>
      resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) =>
          spans.map(({ attributes, parentSpanId = '', ...span }) => ({
            ...span,
            parentSpanId,
            attributes: flatten(attributes),
            resource: flatten(resource?.attributes),
          })),
        ),
      ),
    );
  }

  async logs(): Promise<CollectedLog[]> {
    const messages = await this.#read('logs.json');
    return messages.flatMap(({ resourceLogs = [] }: Value & { resourceLogs?: ResourceLogs[] }) =>
      resourceLogs.flatMap(({ resource, scopeLogs }) =>
        scopeLogs.flatMap(({ logRecords }) =>
          logRecords.map(({ body, attributes }) => ({
            body: textOf(body ?? {}),
            attributes: flatten(attributes),
            resource: flatten(resource?.attributes),
          })),
        ),
      ),
    );
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

  async #read(name: string): Promise<Value[]> {
    const text = await readFile(join(this.#folder, name), 'utf8').catch(() => '');
    // The last line may be half written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Value);
  }
}

interface ResourceSpans {
  readonly resource?: { readonly attributes?: Attributes };
  readonly scopeSpans: readonly {
    readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'resource' | 'parentSpanId'> & {
      readonly parentSpanId?: string;
      readonly attributes?: Attributes;
    })[];
  }[];
}

interface ResourceLogs {
  readonly resource?: { readonly attributes?: Attributes };
  readonly scopeLogs: readonly {
    readonly logRecords: readonly { readonly body?: Value; readonly attributes?: Attributes }[];
  }[];
}

function flatten(attributes: Attributes = []): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, textOf(value)]));
}

const textOf = (value: Value): string => String(Object.values(value)[0] ?? '');
