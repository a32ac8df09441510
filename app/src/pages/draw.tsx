// A pad of 8 x 8 pixels to draw a digit on, by pointer or by keyboard.

import { type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "../texts.ts";
import type { Card } from "./try.tsx";

const SIDE = 8;
/** The pad is drawn finer than the picture is, so that strokes have soft edges as scanned ones do. */
const FINE = 4;
const PIXELS = SIDE * FINE;
const BRUSH = 3.4;

export function DrawPad({ card, onChange }: { card: Card; onChange: (values: readonly number[] | undefined) => void }): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ink = useRef(new Float32Array(PIXELS * PIXELS));
  const drawing = useRef(false);
  const [cursor, setCursor] = useState({ x: 4, y: 2 });
  const [empty, setEmpty] = useState(true);

  const show = (): void => {
    const context = canvas.current?.getContext("2d");
    if (context === null || context === undefined) return;
    const image = context.createImageData(PIXELS, PIXELS);
    ink.current.forEach((dark, index) => {
      const shade = Math.round(255 * (1 - dark));
      image.data.set([shade, shade, shade, 255], 4 * index);
    });
    context.putImageData(image, 0, 0);
  };
  useEffect(show, []);

  const tell = (): void => {
    show();
    const blank = ink.current.every((dark) => dark === 0);
    setEmpty(blank);
    onChange(blank ? undefined : pixels(ink.current).map((dark) => Math.round(card.paper + dark * (card.ink - card.paper))));
  };
  const dab = (x: number, y: number): void => {
    for (let row = 0; row < PIXELS; row += 1) {
      for (let column = 0; column < PIXELS; column += 1) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const dark = Math.max(0, Math.min(1, BRUSH - distance));
        const at = row * PIXELS + column;
        ink.current[at] = Math.max(ink.current[at] ?? 0, dark);
      }
    }
  };
  const at = (event: PointerEvent<HTMLCanvasElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    dab(((event.clientX - box.left) / box.width) * PIXELS, ((event.clientY - box.top) / box.height) * PIXELS);
    tell();
  };
  const clear = (): void => {
    ink.current.fill(0);
    tell();
  };
  return (
    <>
      <p className="quiet small" id="pad-help">
        {t.draw.help}
      </p>
      <canvas
        ref={canvas}
        className="pad"
        width={PIXELS}
        height={PIXELS}
        tabIndex={0}
        role="img"
        aria-label={t.draw.pad(empty, cursor.x + 1, cursor.y + 1)}
        aria-describedby="pad-help"
        onPointerDown={(event) => {
          drawing.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
          at(event);
        }}
        onPointerMove={(event) => {
          if (drawing.current) at(event);
        }}
        onPointerUp={() => {
          drawing.current = false;
        }}
        onKeyDown={(event) => {
          const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
          if (move !== undefined) {
            event.preventDefault();
            const [dx = 0, dy = 0] = move;
            setCursor(({ x, y }) => ({ x: Math.min(SIDE - 1, Math.max(0, x + dx)), y: Math.min(SIDE - 1, Math.max(0, y + dy)) }));
          } else if (event.key === " ") {
            event.preventDefault();
            dab((cursor.x + 0.5) * FINE, (cursor.y + 0.5) * FINE);
            tell();
          }
        }}
      />
      <p>
        <button type="button" onClick={clear} disabled={empty}>
          {t.draw.clear}
        </button>
      </p>
    </>
  );
}

/** The fine pad as the picture that the model takes: the mean of each of its pixels, row by row from the top left. */
export function pixels(ink: ArrayLike<number>): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, index) => {
    const [row, column] = [Math.floor(index / SIDE), index % SIDE];
    let sum = 0;
    for (let y = 0; y < FINE; y += 1) for (let x = 0; x < FINE; x += 1) sum += ink[(row * FINE + y) * PIXELS + column * FINE + x] ?? 0;
    return sum / (FINE * FINE);
  });
}
