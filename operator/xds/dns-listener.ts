import { create } from '@bufbuild/protobuf';
import {
  type Address,
  AddressSchema,
  SocketAddress_Protocol,
} from '../../generated/envoy/envoy/config/core/v3/address_pb.js';
import { TrafficDirection } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import { TypedExtensionConfigSchema } from '../../generated/envoy/envoy/config/core/v3/extension_pb.js';
import { DnsResolverOptionsSchema } from '../../generated/envoy/envoy/config/core/v3/resolver_pb.js';
import { ListenerFilterSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_components_pb.js';
import { AdditionalAddressSchema, ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import {
  type DnsTable_DnsVirtualDomain,
  DnsTable_DnsVirtualDomainSchema,
} from '../../generated/envoy/envoy/data/dns/v3/dns_table_pb.js';
import { DnsFilterConfigSchema } from '../../generated/envoy/envoy/extensions/filters/udp/dns_filter/v3/dns_filter_pb.js';
import { CaresDnsResolverConfigSchema } from '../../generated/envoy/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver_pb.js';
import { DNS_PORT } from '../../proxy/ports.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import { readRange } from './address-range.ts';
import { milliseconds, pack } from './encoding.ts';
import { DNS_LISTENER } from './names.ts';
import { encodeListener } from './outbound-listener.ts';
import type { XdsResource } from './resource.ts';

/** A host that the sidecar itself answers for. */
export interface DnsHost {
  /** May begin with `*.`: then any name below it. */
  readonly hostname: Hostname;
  readonly addresses: readonly string[];
}

/** Istio's. The addresses hardly ever change, but hosts come and go. */
const ANSWER_TTL_MS = 30_000;
/**
 * How long an answer of the pod's resolver is waited for. By then applications have given up and asked anew, for to what comes to nothing
 * here Envoy says that there is no such name, which would be a lie.
 */
const LOOKUP_TIMEOUT_MS = 20_000;
/** How often the pod's resolver is asked: from a quarter of a second on, it is waited for about twice as long each time, in all some ten seconds. */
const LOOKUP_TRIES = 6;
/** Questions waiting for the pod's resolver, per worker thread; those beyond are denied. */
const MAX_PENDING = 4096;
/** Other names would make Envoy refuse the whole listener. */
const NAME = /^(?:[*][.])?[a-z0-9_-]{1,63}(?:[.][a-z0-9_-]{1,63})*$/;

/**
 * The listener of captured DNS questions, which the redirect rules send there (`proxy/dns-redirect.ts`): it answers for the hosts itself, and asks
 * the pod's resolvers for all others. Only questions for IPv4 addresses come, so others than IPv4 addresses are left out, and with them hosts
 * that have no such address. The order of hosts has no meaning; the first of a name has it.
 *
 * @param dualStack the pod has an IPv6 address: its resolvers may have one too, and questions to them arrive at IPv6's loopback
 */
export function translateDnsListener(hosts: readonly DnsHost[], dualStack: boolean): XdsResource {
  const config = create(DnsFilterConfigSchema, {
    statPrefix: 'dns',
    caseInsensitive: true,
    serverConfig: { configSource: { case: 'inlineDnsTable', value: { virtualDomains: buildDomains(hosts) } } },
    clientConfig: {
      resolverTimeout: milliseconds(LOOKUP_TIMEOUT_MS),
      maxPendingLookups: BigInt(MAX_PENDING),
      typedDnsResolverConfig: buildResolver(),
    },
  });
  return encodeListener(
    create(ListenerSchema, {
      name: DNS_LISTENER,
      address: udpAddress('127.0.0.1'),
      additionalAddresses: dualStack ? [create(AdditionalAddressSchema, { address: udpAddress('::1') })] : [],
      trafficDirection: TrafficDirection.OUTBOUND,
      listenerFilters: [
        create(ListenerFilterSchema, {
          name: 'envoy.filters.udp.dns_filter',
          configType: { case: 'typedConfig', value: pack(DnsFilterConfigSchema, config) },
        }),
      ],
    }),
  );
}

function buildDomains(hosts: readonly DnsHost[]): DnsTable_DnsVirtualDomain[] {
  const addresses = new Map<Hostname, readonly string[]>();
  for (const host of hosts) {
    const own = host.addresses.flatMap(singleIpv4);
    if (own.length > 0 && NAME.test(host.hostname) && !addresses.has(host.hostname)) addresses.set(host.hostname, own);
  }
  return [...addresses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, address]) =>
      create(DnsTable_DnsVirtualDomainSchema, {
        name,
        endpoint: { endpointConfig: { case: 'addressList', value: { address: [...new Set(address)] } } },
        answerTtl: milliseconds(ANSWER_TTL_MS),
      }),
    );
}

/** A ServiceEntry's addresses may be blocks. */
function singleIpv4(address: string): string[] {
  const range = readRange(address);
  return range !== undefined && range.length === 32 && !range.prefix.includes(':') ? [range.prefix] : [];
}

/** The pod's resolvers, of its `resolv.conf`. The application's side has put the search domains to names already. */
function buildResolver() {
  const options = create(DnsResolverOptionsSchema, { noDefaultSearchDomain: true });
  const config = create(CaresDnsResolverConfigSchema, { dnsResolverOptions: options, queryTries: LOOKUP_TRIES });
  return create(TypedExtensionConfigSchema, {
    name: 'envoy.network.dns_resolver.cares',
    typedConfig: pack(CaresDnsResolverConfigSchema, config),
  });
}

function udpAddress(address: string): Address {
  const portSpecifier = { case: 'portValue', value: DNS_PORT } as const;
  return create(AddressSchema, {
    address: { case: 'socketAddress', value: { protocol: SocketAddress_Protocol.UDP, address, portSpecifier } },
  });
}
