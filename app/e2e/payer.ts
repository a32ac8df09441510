// What payers do in more than one scenario.

import type { Page } from "playwright-core";

/** Draws a one as a person does: a stroke from the top to the bottom, with a short upstroke. */
export async function drawOne(page: Page): Promise<void> {
  const box = await page.locator("canvas").boundingBox();
  if (box === null) throw new Error("there is no pad");
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(0.38, 0.28));
  await page.mouse.down();
  await page.mouse.move(...at(0.55, 0.08), { steps: 6 });
  await page.mouse.move(...at(0.55, 0.92), { steps: 16 });
  await page.mouse.up();
}
