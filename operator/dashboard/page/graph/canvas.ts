import { h, type JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { GraphView } from '../../../../api/view/graph-view.ts';
import { Icon } from '../icon.ts';
import { changed, type Route } from '../route.ts';
import { Card, titleOf } from './card.ts';
import { type Layout, layoutOf } from './layout.ts';
import { CALLERS, OUTSIDE, type Picture } from './picture.ts';
import { useViewport } from './viewport.ts';
import { type Direction, nextInDirection, nextInReading } from './walk.ts';
import { WireLabel, Wires, wiresOf } from './wires.ts';

interface CanvasProps {
  readonly view: GraphView;
  readonly picture: Picture;
  readonly route: Route;
  /** Whatever changes what is shown at all, so that it is placed anew. */
  readonly shape: string;
}

const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
};
const PAGES: Readonly<Record<string, 1 | -1>> = { PageDown: 1, PageUp: -1 };

/** The drawing itself. The keyboard: arrows go from card to card, Enter chooses, plus, minus and 0 zoom. */
export function Canvas({ view, picture, route, shape }: CanvasProps): JSX.Element {
  const canvas = useRef<HTMLDivElement>(null);
  const world = useRef<HTMLDivElement>(null);
  const viewport = useViewport(canvas, world);
  const layout = useSteadyLayout(picture, shape);
  const { sel, call: chosenCall } = route.query;
  const [focused, setFocused] = useState<string>();
  const entry = [focused, sel].find((id) => id !== undefined && layout.items.has(id)) ?? picture.items[0]?.id;
  const showAll = () => viewport.fit(layout.width, layout.height);
  useEffect(() => {
    showAll();
    addEventListener('resize', showAll);
    return () => removeEventListener('resize', showAll);
  }, [layout]);
  useEffect(() => {
    const box = sel === undefined ? undefined : layout.items.get(sel);
    if (box !== undefined) viewport.reveal(box);
  }, [sel, layout]);
  // Not anew for each card that the keyboard comes to.
  const { near, wires } = useMemo(() => {
    const own = nearOf(picture, layout.items.has(sel ?? '') ? sel : undefined, chosenCall);
    return { near: own, wires: wiresOf(picture.calls, layout, own?.calls, chosenCall) };
  }, [picture, layout, sel, chosenCall]);
  const toggle = (item: string) => changed(route, { sel: item === sel ? undefined : item, call: undefined });
  const chooseCall = (id: string) => changed(route, { call: id === chosenCall ? undefined : id, sel: undefined });
  const onKeyDown = (event: KeyboardEvent) => {
    const [direction, step] = [ARROWS[event.key], PAGES[event.key]];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if ((direction !== undefined || step !== undefined) && entry !== undefined) {
      const from = (event.target as HTMLElement).dataset.id ?? entry;
      const next =
        step === undefined
          ? direction && nextInDirection(layout.items, from, direction)
          : nextInReading(layout.items, from, step);
      if (next !== undefined) focusCard(next);
    } else if (event.key === '+' || event.key === '=') viewport.zoom(1.25);
    else if (event.key === '-') viewport.zoom(0.8);
    else if (event.key === '0') showAll();
    else return;
    event.preventDefault();
  };
  const focusCard = (id: string) => {
    setFocused(id);
    const box = layout.items.get(id);
    if (box !== undefined) viewport.reveal(box);
    canvas.current?.querySelector<HTMLElement>(`.card[data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  };
  const titles = useMemo(() => new Map(picture.items.map((item) => [item.id, titleOf(item)])), [picture]);
  return h(
    'div',
    {
      class: 'canvas',
      ref: canvas,
      role: 'group',
      'aria-label':
        'Who calls whom. Arrow keys go from service to service, Page Down to each in turn, Enter chooses one.',
      onKeyDown,
      onFocusIn: (event: FocusEvent) => setFocused((event.target as HTMLElement).dataset.id),
    },
    h(
      'div',
      { class: 'world', ref: world },
      picture.groups
        .filter(({ open }) => open)
        .map(({ id, title: name }) =>
          h(GroupBox, {
            key: id,
            id,
            name,
            layout,
            close: picture.groups.length > 1 ? closing(route, picture, id) : undefined,
          }),
        ),
      h(Wires, {
        wires,
        layout,
        onChoose: (call) => {
          location.hash = chooseCall(call.id);
        },
      }),
      picture.items.map((item) => {
        const box = layout.items.get(item.id);
        if (box === undefined) return null;
        return h(Card, {
          key: item.id,
          item,
          box,
          href: item.kind === 'service' ? toggle(item.id) : opening(route, picture, item.group),
          selected: item.id === sel,
          dim: near !== undefined && !near.items.has(item.id),
          entry: item.id === entry,
          complete: view.complete,
        });
      }),
      wires.map((wire) =>
        h(WireLabel, {
          key: wire.call.id,
          wire,
          href: chooseCall(wire.call.id),
          words: `${titles.get(wire.call.source)} calls ${titles.get(wire.call.destination)}`,
        }),
      ),
    ),
    h(
      'div',
      { class: 'zoom' },
      h(
        'button',
        { type: 'button', 'aria-label': 'Larger', onClick: () => viewport.zoom(1.25) },
        h(Icon, { name: 'plus' }),
      ),
      h(
        'button',
        { type: 'button', 'aria-label': 'Smaller', onClick: () => viewport.zoom(0.8) },
        h(Icon, { name: 'minus' }),
      ),
      h('button', { type: 'button', 'aria-label': 'Show all', onClick: showAll }, h(Icon, { name: 'fit' })),
    ),
  );
}

function GroupBox({
  id,
  name,
  layout,
  close,
}: {
  readonly id: string;
  readonly name: string;
  readonly layout: Layout;
  readonly close: string | undefined;
}): JSX.Element | null {
  const box = layout.groups.get(id);
  if (box === undefined) return null;
  const style = { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` };
  const title = h('span', { class: 'group-name' }, name);
  return h(
    'div',
    { class: `group ${id === OUTSIDE || id === CALLERS ? 'outside' : ''}`, style },
    close === undefined
      ? title
      : h('a', { class: 'group-name', href: close, title: 'Show as one card', draggable: false }, name),
  );
}

/** Places anew when something is there that has no place yet, or another choice was made; what goes away leaves a gap, for a while. */
function useSteadyLayout(picture: Picture, shape: string): Layout {
  const last = useRef<{ readonly shape: string; readonly layout: Layout } | undefined>(undefined);
  const known = last.current;
  const fits =
    known?.shape === shape &&
    picture.items.every(({ id }) => known.layout.items.has(id)) &&
    picture.calls.every(({ id }) => known.layout.calls.has(id));
  if (known !== undefined && fits) return known.layout;
  const layout = layoutOf(picture, roomOf());
  last.current = { shape, layout };
  return layout;
}

/** About as much room as the drawing has: beside it or, on a narrow screen, below it is what is chosen. */
function roomOf(): { width: number; height: number } {
  return innerWidth > 900
    ? { width: innerWidth - 420, height: innerHeight - 170 }
    : { width: innerWidth - 60, height: innerHeight * 0.58 - 60 };
}

/** What is chosen and what is beside it; undefined when nothing is. */
function nearOf(picture: Picture, item: string | undefined, call: string | undefined) {
  if (item === undefined && !picture.calls.some(({ id }) => id === call)) return undefined;
  const calls = picture.calls.filter(
    ({ id, source, destination }) => id === call || source === item || destination === item,
  );
  const items = new Set(calls.flatMap(({ source, destination }) => [source, destination]));
  if (item !== undefined) items.add(item);
  return { items, calls: new Set(calls.map(({ id }) => id)) };
}

function opening(route: Route, picture: Picture, group: string): string {
  const open = picture.groups.filter((each) => each.open || each.id === group).map(({ id }) => id);
  return changed(route, { open: open.join(','), sel: undefined, call: undefined });
}

function closing(route: Route, picture: Picture, group: string): string {
  const open = picture.groups.filter((each) => each.open && each.id !== group).map(({ id }) => id);
  return changed(route, { open: open.join(',') || 'none', sel: undefined, call: undefined });
}
