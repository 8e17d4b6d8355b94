import { silentLogger } from '../../kube/logger.ts';
import type { ProxyReport } from '../../operator/ads/ack-report.ts';
import { RemoteProxies } from '../../operator/replicas/remote-proxies.ts';
import { encodeReport } from '../../operator/replicas/report-message.ts';
import { ReportQueue } from '../../operator/replicas/report-queue.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, VIRTUAL_HOST_TYPE } from '../../operator/xds/resource.ts';
import { round } from './figures.ts';
import { heap } from './heap.ts';
import type { BenchResult } from './result.ts';

const PROXIES = 500;
const SERVICES = 1000;
const CHANGES = 20;

const host = (service: number): string => `app-${service}.shop.svc.cluster.local`;
const clustersOf = (service: number): string[] =>
  ['', 'v1', 'v2'].map((subset) => `outbound|80|${subset}|${host(service)}`);

const SERVICE_NUMBERS = Array.from({ length: SERVICES }, (_, service) => service);
/** Names are the same strings for all proxies, as on streams. */
const CLUSTERS = flat(SERVICE_NUMBERS.flatMap(clustersOf));
const HOSTS = flat(SERVICE_NUMBERS.map((service) => `80/${host(service)}`));

/** Strings as they are read from messages, rather than put together from others. */
function flat(names: readonly string[]): readonly string[] {
  return JSON.parse(JSON.stringify(names)) as string[];
}

/** What a proxy has in force of an eager mesh. */
function versions(): Map<string, Map<string, string>> {
  const of = (names: readonly string[]) => new Map(names.map((name) => [name, '0123456789abcdef']));
  return new Map([
    [CLUSTER_TYPE, of(CLUSTERS)],
    [ENDPOINT_TYPE, of(CLUSTERS)],
    [VIRTUAL_HOST_TYPE, of(HOSTS)],
  ]);
}

/**
 * What replicas tell each other, without the stream that carries it: a replica hears for the first time of one with all proxies, and then of changes of
 * one resource on each of them.
 */
export async function run(): Promise<BenchResult[]> {
  const proxies = new Map<string, ProxyReport>();
  const inForce = Array.from({ length: PROXIES }, versions);
  for (const [index, held] of inForce.entries()) {
    const uid = `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`;
    proxies.set(uid, {
      identity: { uid, podName: `app-${index}`, namespace: 'shop', serviceAccount: 'app' },
      connected: true,
      connectedAt: 0,
      acknowledged: (typeUrl, name) => held.get(typeUrl)?.get(name),
      versions: (typeUrl) => held.get(typeUrl) ?? [],
      rejections: () => [],
    });
  }
  const queue = new ReportQueue((uid) => proxies.get(uid));
  const remote = new RemoteProxies({ metrics: () => undefined, logger: silentLogger });
  const identity = { uid: 'replica', podName: 'operator', namespace: 'heddle-system', serviceAccount: 'operator' };
  const listener = remote
    .conversation()
    .start({ identity, expiresAt: 0, checkNodeId: () => undefined }, () => undefined);
  let longest = 0;
  const timed = <Value>(act: () => Value): { readonly value: Value; readonly ms: number } => {
    const { user, system } = process.cpuUsage();
    const value = act();
    const used = process.cpuUsage({ user, system });
    const ms = (used.user + used.system) / 1000;
    longest = Math.max(longest, ms);
    return { value, ms };
  };
  /** Tells all there is to tell. */
  const tell = (): { telling: number; hearing: number; bytes: number } => {
    const sum = { telling: 0, hearing: 0, bytes: 0 };
    for (;;) {
      const { value, ms } = timed(() => {
        const message = queue.next();
        return message === undefined ? undefined : encodeReport(message);
      });
      sum.telling += ms;
      if (value === undefined) return sum;
      sum.bytes += value.length;
      sum.hearing += timed(() => listener.message(value)).ms;
    }
  };
  const empty = heap();
  const noted = timed(() => {
    for (const [uid, report] of proxies) queue.proxy(uid, report);
  });
  const first = tell();
  const firstTurn = longest;
  const heard = heap() - empty;
  let changes = { telling: 0, hearing: 0, bytes: 0 };
  for (let change = 0; change < CHANGES; change++) {
    const name = HOSTS[change] ?? '';
    for (const held of inForce) held.get(VIRTUAL_HOST_TYPE)?.set(name, `changed-${change}`);
    for (const uid of proxies.keys()) queue.resources(uid, VIRTUAL_HOST_TYPE, [name]);
    const { telling, hearing, bytes } = tell();
    changes = {
      telling: changes.telling + telling,
      hearing: changes.hearing + hearing,
      bytes: changes.bytes + bytes,
    };
  }
  listener.closed();
  const bench = `a replica hears of ${PROXIES} proxies, ${SERVICES} services`;
  const again = `one resource of each of ${PROXIES} proxies`;
  return [
    { bench, figure: 'CPU of who tells', value: round((noted.ms + first.telling) / 1000), unit: 's' },
    { bench, figure: 'CPU of who hears', value: round(first.hearing / 1000), unit: 's' },
    { bench, figure: 'bytes', value: round(first.bytes), unit: 'B' },
    { bench, figure: 'heap and buffers of both', value: round(heard / 2 ** 20), unit: 'MiB' },
    { bench, figure: 'longest message (CPU)', value: round(firstTurn), unit: 'ms' },
    { bench: again, figure: 'CPU of who tells', value: round(changes.telling / CHANGES), unit: 'ms' },
    { bench: again, figure: 'CPU of who hears', value: round(changes.hearing / CHANGES), unit: 'ms' },
    { bench: again, figure: 'bytes', value: round(changes.bytes / CHANGES), unit: 'B' },
  ];
}
