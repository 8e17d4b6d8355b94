import type { ProxyIdentity } from '../xds/resource.ts';
import type { AuthenticatedProxy } from './authenticator.ts';
import type { Conversation, Listener } from './proxy-call.ts';
import { decodeOrRefuse, type Refusal } from './refusal.ts';
import { decodeStreamIdentifier } from './request.ts';

/** Port: takes the metrics that proxies push. */
export interface MetricsSink {
  /**
   * One encoded `envoy.service.metrics.v3.StreamMetricsMessage` of an authenticated proxy.
   * @throws Error when the bytes are malformed; the stream is then ended
   */
  receive(proxy: ProxyIdentity, message: Uint8Array): void;
}

/** The conversation of `MetricsService.StreamMetrics`: the proxy sends, nothing is answered. */
export class MetricsConversation implements Conversation {
  private readonly sink: MetricsSink;
  private readonly ends: Map<string, Set<(refusal: Refusal) => void>>;

  /** @param ends where streams leave the function that ends them, by UID of their pod */
  constructor(sink: MetricsSink, ends: Map<string, Set<(refusal: Refusal) => void>>) {
    this.sink = sink;
    this.ends = ends;
  }

  nodeId(first: Buffer): string {
    return decodeOrRefuse(first, decodeStreamIdentifier);
  }

  start({ identity }: AuthenticatedProxy, end: (refusal: Refusal) => void): Listener {
    const ends = this.ends.get(identity.uid) ?? new Set();
    this.ends.set(identity.uid, ends.add(end));
    return {
      message: (bytes) => decodeOrRefuse(bytes, () => this.sink.receive(identity, bytes)),
      closed: () => {
        ends.delete(end);
        if (ends.size === 0) {
          this.ends.delete(identity.uid);
        }
      },
    };
  }
}
