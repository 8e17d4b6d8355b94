import { certManager } from '../cert-manager/release.ts';
import { chromiumBinary } from '../chromium/binary.ts';
import {
  CAPTURE,
  COREDNS,
  ETCD,
  ensureBinary,
  GITOPS,
  KUBERNETES,
  METRICS_SERVER,
  OTEL_COLLECTOR,
  type Show,
} from '../cluster/binaries.ts';
import { envoyBinary } from '../envoy/binary.ts';
import { keda } from '../keda/release.ts';
import { prometheusBinary } from '../prometheus/binary.ts';
import { valkeyBinary } from '../valkey/binary.ts';

/** A program is found in the cache, or else fetched or built, which takes minutes. */
type Source = (show: Show) => Promise<unknown>;

/** The programs that tests run on this machine, or in a cluster on it, and how each is had. */
const PROGRAMS = {
  Envoy: envoyBinary,
  Valkey: valkeyBinary,
  Prometheus: prometheusBinary,
  'OpenTelemetry collector': (show) => ensureBinary(OTEL_COLLECTOR, show),
  Kubernetes: (show) => ensureBinary(KUBERNETES, show),
  etcd: (show) => ensureBinary(ETCD, show),
  CoreDNS: (show) => ensureBinary(COREDNS, show),
  'cert-manager': certManager,
  'GitOps engines': (show) => ensureBinary(GITOPS, show),
  'metrics server': (show) => ensureBinary(METRICS_SERVER, show),
  'packet capture': (show) => ensureBinary(CAPTURE, show),
  KEDA: keda,
  Chromium: () => chromiumBinary(),
} satisfies Record<string, Source>;

export type Program = keyof typeof PROGRAMS;

/**
 * Has programs there for the layers of a run: from the run's start on and one after the other, for they share the machine's cores and the lock of its packages.
 * The layers that don't need them yet run meanwhile. What can't be had is reported and no more, for the tests that run it fail by it, and no others.
 */
export class Programs {
  readonly #had = new Map<Program, Promise<void>>();
  readonly #report: (line: string) => void;
  #isStopped = false;

  /** @param names in the order in which they are needed; one may be named twice */
  constructor(
    names: readonly Program[],
    report: (line: string) => void,
    programs: Readonly<Record<Program, Source>> = PROGRAMS,
  ) {
    this.#report = report;
    let last = Promise.resolve();
    for (const name of new Set(names)) {
      last = last.then(() => this.#have(name, programs[name]));
      this.#had.set(name, last);
    }
  }

  /** Returns when these are there, or have been found not to be had. */
  async ready(names: readonly Program[]): Promise<void> {
    await Promise.all(names.map((name) => this.#had.get(name)));
  }

  /** Begins with none that was not begun. */
  stop(): void {
    this.#isStopped = true;
  }

  async #have(name: Program, source: Source): Promise<void> {
    if (this.#isStopped) return;
    // Tests write to the same terminal: only that it was built, and in what time.
    const show: Show = (title) => {
      this.#report(title);
      return { update: () => undefined, finish: (note) => this.#report(`${title}: ${note}`) };
    };
    await source(show).catch((error: unknown) => {
      this.#report(`there is no ${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
