import { describe, expect, test } from '@jest/globals';
import { METRICS_PAGE_ANNOTATION } from '../../api/pod-names.ts';
import { METRICS_PAGE_CLUSTER } from '../../proxy/names.ts';
import type { AckReport, ProxyReport, RejectedResource } from '../ads/ack-report.ts';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import type { MeshChange } from '../mesh/mesh-object.ts';
import { peerAuthentication, pod, SETTINGS, service, telemetry, virtualService } from '../mesh/testing/objects.ts';
import { INBOUND_LISTENER, OUTBOUND_LISTENER, portListener, virtualHost } from '../xds/names.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type ProxyIdentity, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import { policyEnforcement } from './policy-enforcement.ts';

const CALLER: ProxyIdentity = { uid: 'uid-ui', podName: 'ui', namespace: 'shop', serviceAccount: 'default' };
const CATALOG = 'VirtualService/shop/catalog';
const STRICT = 'PeerAuthentication/shop/strict';

/** A proxy that acknowledges, of the resources that the cache has for it, those it is told to. */
class Caller implements ProxyReport {
  readonly identity = CALLER;
  readonly connectedAt = 0;
  connected = true;
  refused: RejectedResource[] = [];
  readonly #cache: XdsCache;
  readonly #acknowledged = new Map<string, string>();

  constructor(cache: XdsCache) {
    this.#cache = cache;
  }
  newest(typeUrl: string, name: string): string {
    return this.#cache.lookup(CALLER, typeUrl, name)?.version ?? 'none';
  }
  acknowledge(typeUrl: string, name: string): void {
    this.#acknowledged.set(`${typeUrl} ${name}`, this.newest(typeUrl, name));
  }
  acknowledged(typeUrl: string, name: string): string | undefined {
    return this.#acknowledged.get(`${typeUrl} ${name}`);
  }
  versions(): Iterable<[string, string]> {
    return [];
  }
  rejections(): readonly RejectedResource[] {
    return this.refused;
  }
}

const HOSTS = ['catalog.shop.svc.cluster.local', 'orders.shop.svc.cluster.local'] as const;

const route = (path: string, host = 'catalog'): MeshChange => ({
  kind: 'VirtualService',
  key: `shop/${host}`,
  object: virtualService(`shop/${host}`, {
    hosts: [host],
    http: [
      { match: [{ uri: { exact: path } }], directResponse: { status: 418 } },
      { route: [{ destination: { host } }] },
    ],
  }),
});

function setUp() {
  const builder = new MeshBuilder(SETTINGS);
  const cache = new XdsCache();
  const caller = new Caller(cache);
  const reports = new Map<string, ProxyReport>([[CALLER.uid, caller]]);
  const acks: AckReport = {
    acked: (_uid, typeUrl, name) => caller.acknowledged(typeUrl, name),
    proxy: (uid) => reports.get(uid),
    proxies: () => reports.values(),
    onAck: () => () => {},
    moves: 0,
  };
  const apply = (...changes: MeshChange[]): void => {
    const { snapshot, delta } = builder.apply(changes);
    cache.update(snapshot, delta);
  };
  const services = ['catalog', 'orders'].map((name) => ({
    kind: 'Service' as const,
    key: `shop/${name}`,
    object: service(name, { app: name }, { clusterIP: name === 'orders' ? '10.96.0.2' : '10.96.0.1' }),
  }));
  apply(...services, { kind: 'Pod', key: 'shop/ui', object: pod('ui') }, route('/tea'));
  const enforcement = policyEnforcement(acks, cache, (uid) => builder.snapshot.workloads.get(uid));
  const acknowledgeRoutes = (): void => {
    for (const hostname of HOSTS) caller.acknowledge(VIRTUAL_HOST_TYPE, virtualHost(80, hostname));
  };
  return { apply, caller, reports, enforcement, acknowledgeRoutes };
}

describe('a policy of callers', () => {
  test('is in force once the routes in which it stands are acknowledged', () => {
    const { enforcement, acknowledgeRoutes } = setUp();
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe(false);
    acknowledgeRoutes();
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe(true);
  });

  test('is not, once it changed, until these are acknowledged anew; a change of another in the same routes does not matter', () => {
    const { apply, enforcement, acknowledgeRoutes } = setUp();
    acknowledgeRoutes();
    apply(route('/soup', 'orders'));
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe(true);
    expect(enforcement.inForce(CALLER.uid, 'VirtualService/shop/orders')).toBe(false);
    apply(route('/coffee'));
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe(false);
    acknowledgeRoutes();
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe(true);
  });

  test('is not used by a proxy that is sent nothing of it, whether it reports or not', () => {
    const { caller, reports, enforcement } = setUp();
    expect(enforcement.inForce(CALLER.uid, 'VirtualService/shop/none')).toBe('unused');
    expect(enforcement.inForce('nobody', CATALOG)).toBe('unused');
    caller.connected = false;
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe('unknown');
    reports.clear();
    expect(enforcement.inForce(CALLER.uid, CATALOG)).toBe('unknown');
    expect(enforcement.inForce(CALLER.uid, 'VirtualService/shop/none')).toBe('unused');
  });

  test('is refused when routes that show it as it is now were, not when older ones were', () => {
    const { apply, caller, enforcement } = setUp();
    const refuse = { typeUrl: VIRTUAL_HOST_TYPE, name: virtualHost(80, HOSTS[0]), message: 'no such cluster' };
    caller.refused = [{ ...refuse, version: caller.newest(VIRTUAL_HOST_TYPE, virtualHost(80, HOSTS[0])) }];
    expect(enforcement.rejection(CALLER.uid, CATALOG)).toBe('no such cluster');
    const refuses = enforcement.refuses(CALLER.uid);
    apply(route('/coffee'));
    expect(enforcement.rejection(CALLER.uid, CATALOG)).toBeUndefined();
    caller.refused = [{ ...refuse, version: caller.newest(VIRTUAL_HOST_TYPE, virtualHost(80, HOSTS[0])) }];
    expect(enforcement.refuses(CALLER.uid)).not.toBe(refuses);
  });
});

describe('a policy of what a workload serves', () => {
  test('is in force once the newest inbound listener is acknowledged', () => {
    const { apply, caller, enforcement } = setUp();
    const strict = peerAuthentication('shop/strict', { mtls: { mode: 'STRICT' } });
    apply({ kind: 'PeerAuthentication', key: 'shop/strict', object: strict });
    expect(enforcement.inForce(CALLER.uid, STRICT)).toBe(false);
    caller.acknowledge(LISTENER_TYPE, INBOUND_LISTENER);
    expect(enforcement.inForce(CALLER.uid, STRICT)).toBe(true);
    caller.connected = false;
    expect([enforcement.inForce(CALLER.uid, STRICT), enforcement.reports(CALLER.uid)]).toEqual(['unknown', false]);
  });
});

describe('a Telemetry about metrics', () => {
  test('is in force once the cluster that tells the page is acknowledged', () => {
    const { apply, caller, enforcement } = setUp();
    const made = pod('ui');
    const annotations = { ...made.metadata?.annotations, [METRICS_PAGE_ANNOTATION]: 'overridden' };
    apply({ kind: 'Pod', key: 'shop/ui', object: { ...made, metadata: { ...made.metadata, annotations } } });
    const tell = (label: string): void => {
      const metrics = [{ overrides: [{ tagOverrides: { [label]: { value: '"a"' } } }] }];
      apply({ kind: 'Telemetry', key: 'shop/all', object: telemetry('shop/all', { metrics }) });
    };
    const shows = () => enforcement.inForce(CALLER.uid, 'Telemetry/shop/all');
    tell('first');
    for (const name of [INBOUND_LISTENER, OUTBOUND_LISTENER, portListener(80)]) caller.acknowledge(LISTENER_TYPE, name);
    expect(shows()).toBe(false);
    caller.acknowledge(CLUSTER_TYPE, METRICS_PAGE_CLUSTER);
    expect(shows()).toBe(true);
    tell('second');
    expect(shows()).toBe(false);
    caller.acknowledge(CLUSTER_TYPE, METRICS_PAGE_CLUSTER);
    expect(shows()).toBe(true);
    caller.connected = false;
    expect(shows()).toBe('unknown');
  });
});
