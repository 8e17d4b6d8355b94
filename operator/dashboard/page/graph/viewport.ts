import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Box } from './arrange.ts';

const SMALLEST = 0.08;
const LARGEST = 2;
const MARGIN = 36;
/** A pointer that moved less than this has clicked. */
const CLICK_PX = 5;
/** Below this scale names are all that can be read. */
const FAR = 0.62;

export interface Viewport {
  /** Shows all of a drawing of this size; nothing is made larger than it is. */
  readonly fit: (width: number, height: number) => void;
  /** Makes everything so many times as large, around the middle. */
  readonly zoom: (factor: number) => void;
  /** Moves the drawing by as little as it takes to have a box in sight. */
  readonly reveal: (box: Box) => void;
}

/** Moves and zooms `world` within `canvas` by pointer, wheel and pinch. Writes the style itself: nothing is rendered anew for it. */
export function useViewport(
  canvas: RefObject<HTMLDivElement | null>,
  world: RefObject<HTMLDivElement | null>,
): Viewport {
  const view = useRef({ x: 0, y: 0, scale: 1 });
  const shown = useRef({ level: '', grow: '' });
  const apply = () => {
    const { x, y, scale } = view.current;
    if (world.current === null || canvas.current === null) return;
    world.current.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    const level = scale < FAR ? 'far' : 'near';
    // Figures of what fails stay readable from afar. In steps, for each makes the style of all cards anew.
    const grow = (Math.round(Math.min(3, Math.max(1, 0.85 / scale)) * 4) / 4).toString();
    if (level !== shown.current.level) canvas.current.dataset.level = level;
    if (grow !== shown.current.grow) canvas.current.style.setProperty('--grow', grow);
    shown.current = { level, grow };
  };
  const zoomAt = (factor: number, px: number, py: number) => {
    const { x, y, scale } = view.current;
    const next = Math.min(LARGEST, Math.max(SMALLEST, scale * factor));
    view.current = { x: px - ((px - x) / scale) * next, y: py - ((py - y) / scale) * next, scale: next };
    apply();
  };
  useEffect(() => {
    const element = canvas.current;
    return element === null
      ? undefined
      : hear(element, {
          moveBy: (dx, dy) => {
            view.current = { ...view.current, x: view.current.x + dx, y: view.current.y + dy };
            apply();
          },
          zoomAt,
        });
  }, []);
  return {
    fit: (width, height) => {
      const box = canvas.current?.getBoundingClientRect();
      if (box === undefined || width === 0) return;
      const scale = Math.max(
        SMALLEST,
        Math.min(1, (box.width - 2 * MARGIN) / width, (box.height - 2 * MARGIN) / height),
      );
      view.current = { x: (box.width - width * scale) / 2, y: (box.height - height * scale) / 2, scale };
      apply();
    },
    zoom: (factor) => {
      const box = canvas.current?.getBoundingClientRect();
      if (box !== undefined) zoomAt(factor, box.width / 2, box.height / 2);
    },
    reveal: ({ x, y, width, height }) => {
      const box = canvas.current?.getBoundingClientRect();
      if (box === undefined) return;
      const { scale } = view.current;
      const shift = (at: number, low: number, size: number, room: number) => {
        const [from, to] = [at + low * scale, at + (low + size) * scale];
        if (from < MARGIN) return MARGIN - from;
        return to > room - MARGIN ? Math.max(room - MARGIN - to, MARGIN - from) : 0;
      };
      const dx = shift(view.current.x, x, width, box.width);
      const dy = shift(view.current.y, y, height, box.height);
      view.current = { ...view.current, x: view.current.x + dx, y: view.current.y + dy };
      apply();
    },
  };
}

interface Moves {
  readonly moveBy: (dx: number, dy: number) => void;
  readonly zoomAt: (factor: number, x: number, y: number) => void;
}

/** Listens to pointers and the wheel; gives what stops it. */
function hear(element: HTMLElement, { moveBy, zoomAt }: Moves): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let moved = 0;
  const local = (event: { clientX: number; clientY: number }) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    if (pointers.size === 0) moved = 0;
    pointers.set(event.pointerId, local(event));
  };
  const move = (event: PointerEvent) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = local(event);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    moved += Math.hypot(now.x - before.x, now.y - before.y);
    if (other === undefined) moveBy(now.x - before.x, now.y - before.y);
    else {
      const factor =
        Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, Math.hypot(before.x - other.x, before.y - other.y));
      zoomAt(factor, (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    // From here on it is a drag, also when the pointer leaves.
    if (moved > CLICK_PX && !element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, now);
  };
  const up = (event: PointerEvent) => void pointers.delete(event.pointerId);
  const click = (event: MouseEvent) => {
    if (moved <= CLICK_PX) return;
    event.preventDefault();
    event.stopPropagation();
    moved = 0;
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const { x, y } = local(event);
    // Two fingers on a touchpad move; the wheel and the pinch zoom.
    if (!event.ctrlKey && event.deltaX !== 0) moveBy(-event.deltaX, -event.deltaY);
    else zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), x, y);
  };
  const stop = (event: Event) => event.preventDefault();
  const control = new AbortController();
  const { signal } = control;
  element.addEventListener('pointerdown', down, { signal });
  element.addEventListener('pointermove', move, { signal });
  element.addEventListener('pointerup', up, { signal });
  element.addEventListener('pointercancel', up, { signal });
  element.addEventListener('click', click, { signal, capture: true });
  element.addEventListener('wheel', wheel, { signal, passive: false });
  // Cards are links, which a browser would drag as such.
  element.addEventListener('dragstart', stop, { signal });
  return () => control.abort();
}
