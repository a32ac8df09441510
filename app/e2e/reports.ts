// What anybody does with reports in more than one scenario.

import type { Page } from "playwright-core";
import { go, press, seen, travel } from "./world.ts";

/** Opens a report from the Trust page. */
export async function openReport(page: Page, report: string): Promise<void> {
  await go(page, "/trust");
  await page.locator(`a[href$="/trust/report/${report}"]`).click();
  await seen(page.getByText("Who paid"));
}

/** Lets the window of a sealed report end, makes it final and shares its revenue. */
export async function finish(page: Page, report: string): Promise<void> {
  await openReport(page, report);
  await travel({ slots: 460 });
  await press(page, "Make final");
  await press(page, "Share the revenue");
  await seen(page.getByText("Revenue shared"));
}
