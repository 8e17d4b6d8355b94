import { CertificateAuthority } from '../../operator/certificates/authority.ts';
import { DEFAULT_LIFETIMES } from '../../operator/certificates/lifetimes.ts';
import { firstState, newRoot } from '../../operator/certificates/root-rotation.ts';
import { SecretSource } from '../../operator/certificates/secret-source.ts';
import { spiffeId } from '../../operator/certificates/start.ts';
import { type ProxyIdentity, SECRET_TYPE } from '../../operator/xds/resource.ts';
import { round } from './figures.ts';
import type { BenchResult } from './result.ts';
import { TurnWatch } from './turn-watch.ts';

const PROXIES = 2000;
const GAP_MS = 500;

const proxies = Array.from({ length: PROXIES }, (_, index): ProxyIdentity => {
  const name = `app-${index}`;
  return { uid: `uid-${index}`, podName: name, namespace: 'shop', serviceAccount: name };
});

/**
 * What certificates cost: those of a mesh whose proxies all ask at once, as after a loss of all replicas. Streams are not part of it, `cold-storm` has them.
 * The longest turn is in CPU of the event loop's thread; keys are made and signatures written on others.
 */
export async function run(): Promise<BenchResult[]> {
  const authority = new CertificateAuthority({ lifetimes: DEFAULT_LIFETIMES });
  const now = Date.now();
  await authority.adopt(firstState(await newRoot(DEFAULT_LIFETIMES, now), now));
  const { workloadMs } = DEFAULT_LIFETIMES;
  const source = new SecretSource({ authority, workloadMs, spiffeId: (proxy) => spiffeId('cluster.local', proxy) });
  const watch = new TurnWatch();
  // What was spent until now is not of the issues.
  await new Promise((resolve) => setTimeout(resolve, GAP_MS));
  watch.take();
  const before = process.cpuUsage();
  const start = performance.now();
  const done = new Promise<void>((resolve) => {
    source.onChange(() => source.counts.issued === PROXIES && resolve());
  });
  for (const proxy of proxies) source.lookup(proxy, SECRET_TYPE, 'default');
  await done;
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  // The turn in which the last one came has to end.
  await new Promise((resolve) => setTimeout(resolve, 10));
  const turn = watch.take();
  await source.stop();
  authority.stop();
  const bench = `${PROXIES} certificates`;
  return [
    { bench, figure: 'CPU', value: round((user + system) / 1e6), unit: 's' },
    { bench, figure: 'CPU of one', value: round((user + system) / 1000 / PROXIES), unit: 'ms' },
    { bench, figure: 'time', value: round(seconds), unit: 's' },
    { bench, figure: 'longest turn of the event loop (CPU)', value: round(turn), unit: 'ms', aim: 50 },
  ];
}
