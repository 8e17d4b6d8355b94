import { h, type JSX } from 'preact';
import { Unseen } from '../figure.ts';
import { millis, percent, rate } from '../format.ts';
import { failedShare } from '../health.ts';
import { Lock } from '../icon.ts';
import type { Point } from './arrange.ts';
import { type Curve, curveOf, LabelPlaces } from './curve.ts';
import type { Layout } from './layout.ts';
import type { Call } from './picture.ts';

/** More calls than these have figures only where they fail or are chosen. */
const LABELLED = 40;
const LINE_HEIGHT = 16;
/** Width of a digit, and room for the lock and at the sides, in px. */
const DIGIT = 6.9;
const LOCK = 19;
const SIDES = 16;

export interface Wire {
  readonly call: Call;
  readonly curve: Curve;
  readonly label: Point | undefined;
  readonly dim: boolean;
  readonly chosen: boolean;
}

/** The curves of all calls, and where their figures stand: first those of what fails, so that these have room. */
export function wiresOf(
  calls: readonly Call[],
  layout: Layout,
  near: ReadonlySet<string> | undefined,
  chosen: string | undefined,
): Wire[] {
  const titles = [...layout.groups.values()].map(({ x, y }) => ({ x, y, width: 120, height: 32 }));
  const places = new LabelPlaces([...layout.items.values(), ...titles]);
  const order = calls.map((call) => ({ call, rank: call.id === chosen ? 0 : call.severity === 'bad' ? 1 : 2 }));
  const labelled = (call: Call) =>
    calls.length <= LABELLED || call.severity === 'bad' || near?.has(call.id) === true || call.id === chosen;
  const wires = order
    .sort((a, b) => a.rank - b.rank)
    .flatMap(({ call, rank }): Wire[] => {
      const way = layout.calls.get(call.id);
      if (way === undefined) return [];
      const curve = curveOf(way);
      // What fails says so also where there is no room for it.
      const label = labelled(call)
        ? (places.place(curve, ...labelSize(call)) ?? (rank < 2 ? curve.at(0.5) : undefined))
        : undefined;
      return [{ call, curve, label, dim: near !== undefined && !near.has(call.id), chosen: call.id === chosen }];
    });
  // What fails is drawn last, above all others.
  return wires.reverse();
}

/** Lines between cards, the thicker the more calls. */
export function Wires({
  wires,
  layout,
  onChoose,
}: {
  readonly wires: readonly Wire[];
  readonly layout: Layout;
  readonly onChoose: (call: Call) => void;
}): JSX.Element {
  return h(
    'svg',
    {
      class: `wires ${wires.length > LABELLED ? 'many' : ''}`,
      width: layout.width,
      height: layout.height,
      'aria-hidden': true,
    },
    wires.map(({ call, curve, dim, chosen }) =>
      h(
        'g',
        {
          key: call.id,
          'data-id': call.id,
          class: `wire sev-${call.severity} mtls-${call.mtls} ${dim ? 'dim' : ''} ${chosen ? 'selected' : ''}`,
          onClick: () => onChoose(call),
        },
        h('path', { class: 'hit', d: curve.d }),
        h('path', { class: 'line', d: curve.d, 'stroke-width': widthOf(call.golden.perSecond) }),
        h('path', { class: 'tip', d: curve.tip }),
      ),
    ),
  );
}

/** Figures of a call, on its line. */
export function WireLabel({
  wire,
  href,
  words,
}: {
  readonly wire: Wire;
  readonly href: string;
  readonly words: string;
}): JSX.Element | null {
  const { call, label, dim, chosen } = wire;
  if (label === undefined) return null;
  const { golden, severity } = call;
  return h(
    'a',
    {
      class: `wire-label sev-${severity} ${dim ? 'dim' : ''} ${chosen ? 'selected' : ''}`,
      href,
      tabIndex: -1,
      draggable: false,
      style: { left: `${label.x}px`, top: `${label.y}px` },
    },
    h('span', {}, h(Unseen, {}, `${words}: `), h(Lock, { mtls: call.mtls }), rate(golden.perSecond)),
    secondLine(call).length === 0
      ? null
      : h(
          'span',
          {},
          secondLine(call).map((text) =>
            h('span', { key: text, class: text.endsWith('%') ? `failed failed-${severity}` : '' }, text),
          ),
        ),
  );
}

function secondLine({ golden }: Call): string[] {
  const share = golden.failures > 0 ? percent(failedShare(golden)) : undefined;
  return [share, millis(golden.p99Ms)].filter((text) => text !== undefined);
}

function labelSize(call: Call): [width: number, height: number] {
  const second = secondLine(call);
  const first = (rate(call.golden.perSecond) ?? '').length * DIGIT + LOCK;
  return [Math.max(first, second.join('  ').length * DIGIT) + SIDES, (second.length === 0 ? 1 : 2) * LINE_HEIGHT + 6];
}

function widthOf(perSecond: number): number {
  return Math.round(Math.min(5, 1.2 + Math.log10(1 + Math.max(0, perSecond)) * 1.1) * 10) / 10;
}
