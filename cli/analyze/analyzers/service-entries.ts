import type { ServiceEntrySpec } from '../../../api/service-entry.ts';
import { protocolOf } from '../../../operator/mesh/protocol.ts';
import { type Analyzer, refOf } from '../context.ts';
import type { AnyObject } from '../documents.ts';

/** Hosts of TCP without an address, of which connections say nothing. */
export const analyzeServiceEntries: Analyzer = function* ({ ofKind, config }) {
  for (const entry of ofKind<AnyObject & { spec?: ServiceEntrySpec }>('ServiceEntry')) {
    const { addresses = [], ports = [], resolution = 'NONE' } = entry.spec ?? {};
    if (addresses.length > 0 || config.proxy.dnsCapture || resolution === 'NONE') continue;
    for (const [index, { protocol = '', name = '', number = 0 }] of ports.entries()) {
      const read = protocolOf({ name: protocol === '' ? name : protocol, numbers: [number] });
      if (read !== 'tcp') continue;
      const message = `ServiceEntry addresses are required for this protocol: without one, all connections to port ${number} that nothing else is at go there.`;
      yield { code: 'IST0134', object: refOf(entry), field: `spec.ports[${index}]`, message };
    }
  }
};
