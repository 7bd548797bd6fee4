import assert from "node:assert/strict";
import { open, spec, tabTo } from "./stage.mjs";

spec("overview", {
  path: "/", heading: "Overview",
  landmark: ["Crash-free sessions", "New and regressed", "Extensions that need attention", "Releases"],
  happy: async (page) => {
    const figure = page.locator("figure.chart").first();
    await figure.getByRole("img").waitFor();
    await figure.getByText("The numbers as a table").click();
    assert.ok(await figure.locator("tbody tr").count() >= 7, "the chart has its table");
    await page.getByRole("link", { name: "30 d" }).click();
    await page.waitForURL(/days=30/);
  },
  keyboard: async (page) => {
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.name), "q", "/ finds the search");
    await page.keyboard.press("Escape");
    await tabTo(page, () => document.activeElement.getAttribute("href") === "/crashes");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/crashes/);
  },
});

spec("overview on a phone", {
  path: "/", heading: "Overview",
  plain: async () => {
    const page = await open("operator", { js: false, width: 390, height: 844 });
    await page.goto("/");
    await page.locator("details.phone > summary").click();
    await page.getByRole("navigation", { name: "Menu" }).getByRole("link", { name: "Extensions" }).click();
    await page.getByRole("heading", { level: 1, name: "Extensions" }).waitFor();
    await page.done();
  },
});
