import assert from "node:assert/strict";
import { hrefOf, open, spec } from "./stage.mjs";

// The demo's host crashes where two extensions are active together; neither is on
// the stack. The job that compares is asked to run until the family says so.
async function compared(page) {
  const path = await hrefOf(page, "/crashes?q=DisposableStore&state=&host=studio", "tbody a.title");
  for (let i = 0; i < 120; i++) {
    await page.goto(path);
    if (await page.locator("#associated tbody tr").count() > 0) break;
    await page.request.post("/intake/jobs/suspects/run");
    await page.waitForTimeout(1500);
  }
  return path;
}

spec("associated extensions", {
  path: compared,
  landmark: ["Associated extensions", "does not say that it is the cause", "Expected", "Difference, points"],
  happy: async (page) => {
    const row = page.locator("#associated tbody tr").first();
    const text = await row.innerText();
    assert.match(text, /Acme Git|acme\.git/, "the pair's one member");
    assert.match(text, /Northwind Notebook|northwind\.notebook/, "and the other");
    assert.match(text, /\d+ of \d+/, "with counts");
    await page.getByText("How it was compared").click();
    await page.getByText("false discovery rate").waitFor();
    await page.getByText(/set aside/).click();
    await page.getByText(/are both active/).first().waitFor();
  },
  plain: async () => {
    const page = await open("operator", { js: false });
    await page.goto(await hrefOf(page, "/crashes?q=WebGL", "tbody a.title"));
    await page.getByText(/No extension stands out|Not enough data yet|Not looked at yet/).waitFor();
    await page.done();
  },
});
