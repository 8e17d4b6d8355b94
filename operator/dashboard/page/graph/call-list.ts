import { h, type JSX } from 'preact';
import type { GraphEdge, GraphNode } from '../../../../api/view/graph-view.ts';
import { Failed, Value } from '../figure.ts';
import { millis, rate } from '../format.ts';
import { failedShare, nameOf, severity } from '../health.ts';
import { Icon, Lock } from '../icon.ts';
import { useHref } from '../kept-namespace.ts';

interface CallListProps {
  readonly edges: readonly GraphEdge[];
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly other?: 'source' | 'destination';
  readonly both?: boolean;
}

/** Calls as lines that lead to each; those that fail most come first. */
export function CallList({ edges, nodes, other, both = false }: CallListProps): JSX.Element {
  const to = useHref();
  const sorted = [...edges].sort(
    (a, b) => (failedShare(b.golden) ?? 0) - (failedShare(a.golden) ?? 0) || b.golden.perSecond - a.golden.perSecond,
  );
  const title = (id: string) => nameOf(id, nodes.get(id));
  return h(
    'ul',
    { class: 'calls' },
    sorted.map((edge) =>
      h(
        'li',
        { key: edge.id },
        h(
          'a',
          { href: to(['call', edge.source, edge.destination]), class: `sev-${severity(edge.golden)}` },
          h(Lock, { mtls: edge.mtls }),
          h(
            'span',
            { class: 'calls-name' },
            both || other === undefined
              ? [title(edge.source), h(Icon, { name: 'arrow', label: 'calls' }), title(edge.destination)]
              : title(edge[other]),
          ),
          h(
            'span',
            { class: 'calls-figures' },
            h('span', {}, rate(edge.golden.perSecond)),
            h(Failed, { golden: edge.golden }),
            h(Value, { text: millis(edge.golden.p99Ms) }),
          ),
        ),
      ),
    ),
  );
}
