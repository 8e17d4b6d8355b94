import { h, type JSX } from 'preact';
import type { Answer, GraphEdge, GraphNode } from '../../../api/view/graph-view.ts';
import { Failed, Figure, Meter, Value } from './figure.ts';
import { bytes, count, millis, percent, rate } from './format.ts';
import { failedShare, flagsInWords, nameOf, severity } from './health.ts';
import { Icon, Lock, mtlsInWords } from './icon.ts';
import { useHref } from './kept-namespace.ts';
import { Pools } from './pool.ts';

interface CallFactsProps {
  readonly edge: GraphEdge;
  readonly nodes: ReadonlyMap<string, GraphNode>;
}

/** One call: its figures, its lock, what was answered and why, and the same by revision. */
export function CallFacts({ edge, nodes }: CallFactsProps): JSX.Element {
  const to = useHref();
  const { golden, protocol } = edge;
  const end = (id: string) => {
    const node = nodes.get(id);
    const name = nameOf(id, node);
    return node?.kind === 'workload' ? h('a', { href: to(['service', id]) }, name) : name;
  };
  const tcp = protocol === 'tcp';
  return h(
    'div',
    { class: 'call-facts' },
    h(
      'p',
      { class: 'over' },
      `${{ http: 'HTTP', grpc: 'gRPC', tcp: 'TCP' }[protocol]}${edge.service === '' ? '' : ` to ${edge.service}`}`,
    ),
    h(
      'h2',
      { class: 'call-title' },
      end(edge.source),
      h(Icon, { name: 'arrow', label: 'calls' }),
      end(edge.destination),
    ),
    h(
      'p',
      { class: `lock-line lock-${edge.mtls}` },
      h(Lock, { mtls: edge.mtls, bare: true }),
      capital(mtlsInWords(edge.mtls)),
    ),
    h(
      'dl',
      { class: 'figures' },
      h(Figure, { name: tcp ? 'Connections' : 'Traffic', text: rate(golden.perSecond) }),
      h(Figure, {
        name: 'Errors',
        text: percent(failedShare(golden)),
        none: 'no calls',
        tone: `sev-${severity(golden)}`,
        note: `${count(golden.failures)} of ${count(golden.requests)}`,
      }),
      h(Figure, { name: 'p50', text: millis(golden.p50Ms) }),
      h(Figure, { name: 'p99', text: millis(golden.p99Ms) }),
      golden.sentPerSecond === undefined ? null : h(Figure, { name: 'Sent', text: `${bytes(golden.sentPerSecond)}/s` }),
      golden.receivedPerSecond === undefined
        ? null
        : h(Figure, { name: 'Received', text: `${bytes(golden.receivedPerSecond)}/s` }),
    ),
    edge.answers.length === 0
      ? null
      : [
          h('h3', {}, 'Answers'),
          h(Answers, { answers: edge.answers, namespace: nodes.get(edge.destination)?.namespace }),
        ],
    edge.pool === undefined ? null : [h('h3', {}, "The caller's fullest pool"), h(Pools, { pool: edge.pool, tcp })],
    edge.revisions.length === 0 ? null : [h('h3', {}, 'By revision'), h(Revisions, { edge })],
    h(
      'p',
      { class: 'quiet' },
      edge.reporter === 'source'
        ? "As the caller's sidecar counted."
        : "As the server's sidecar counted: the caller has none.",
    ),
  );
}

/** What policies and limits answer. */
const REFUSED = ['401', '403', '429'];

interface AnswersProps {
  readonly answers: readonly Answer[];
  /** That of who was called. */
  readonly namespace: string | undefined;
}

function Answers({ answers, namespace }: AnswersProps): JSX.Element {
  const to = useHref();
  const total = answers.reduce((sum, { requests }) => sum + requests, 0);
  return h(
    'ul',
    { class: 'answers' },
    answers.map((answer) => {
      const why = flagsInWords(answer.flags);
      const share = answer.requests / Math.max(1, total);
      return h(
        'li',
        { key: `${answer.code} ${answer.flags} ${answer.grpc}`, class: answer.failed ? 'sev-bad' : '' },
        h(
          'code',
          {},
          answer.code === '0' ? 'none' : answer.code,
          answer.flags === '-' ? null : ` ${answer.flags}`,
          answer.grpc === undefined ? null : ` gRPC ${answer.grpc}`,
        ),
        h(Meter, { share, label: `${percent(share)} of the answers`, tone: answer.failed ? 'bad' : '' }),
        h('span', { class: 'number' }, count(answer.requests)),
        why === undefined ? null : h('p', { class: 'quiet' }, capital(why), '.'),
        REFUSED.includes(answer.code)
          ? h('p', {}, h('a', { href: to(['refused'], { ns: namespace }) }, 'Was it refused by a policy?'))
          : null,
      );
    }),
  );
}

function Revisions({ edge }: { readonly edge: GraphEdge }): JSX.Element {
  const total = edge.revisions.reduce((sum, { golden }) => sum + golden.requests, 0);
  return h(
    'ul',
    { class: 'revisions' },
    edge.revisions.map(({ revision, role, golden }) =>
      h(
        'li',
        { key: revision, class: role },
        h('span', { class: `role role-${role}` }, role),
        h('code', {}, revision),
        h(
          'span',
          { class: 'calls-figures' },
          h('span', {}, total === 0 ? 'no calls' : percent(golden.requests / total)),
          h(Failed, { golden }),
          h(Value, { text: millis(golden.p99Ms) }),
        ),
      ),
    ),
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
