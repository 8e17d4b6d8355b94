import { certManager } from '../cert-manager/release.ts';
import { chromiumBinary } from '../chromium/binary.ts';
import { ensureBinary, OTEL_COLLECTOR } from '../cluster/binaries.ts';
import { envoyBinary } from '../envoy/binary.ts';
import { prometheusBinary } from '../prometheus/binary.ts';
import { valkeyBinary } from '../valkey/binary.ts';

/** The programs that tests run on this machine, and how each is had: found in the cache, or else fetched or built, which takes minutes. */
const PROGRAMS = {
  Envoy: envoyBinary,
  Valkey: valkeyBinary,
  Prometheus: prometheusBinary,
  'OpenTelemetry collector': () => ensureBinary(OTEL_COLLECTOR),
  'cert-manager': certManager,
  Chromium: () => chromiumBinary(),
} satisfies Record<string, () => Promise<unknown>>;

export type Program = keyof typeof PROGRAMS;

/**
 * Has the programs there before the tests that run them, one after the other: they share the machine's cores and the lock of its packages. What can't be had is
 * reported and no more, for the tests that run it fail by it, and no others.
 */
export async function prepare(
  names: readonly Program[],
  report: (line: string) => void,
  programs: Readonly<Record<Program, () => Promise<unknown>>> = PROGRAMS,
): Promise<void> {
  for (const name of names) {
    await programs[name]().catch((error: unknown) => {
      report(`there is no ${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
