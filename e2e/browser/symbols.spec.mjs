import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { keys, open, ready, spec, url } from "./stage.mjs";

const sym = `MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 engine.so
FUNC 1000 100 0 Engine::draw(int)
` + "INFO larger than any other form\n".repeat(60_000);

// upload fills the form of the page and sends it.
async function upload(page, name, text, release = "") {
  await page.getByLabel("Release").fill(release);
  await page.getByLabel("Files", { exact: true }).setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
  await page.getByRole("button", { name: "Upload" }).click();
}

spec("symbols", {
  path: "/symbols?extension=acme.linter", landmark: ["Missing", "Kept", "Upload", "Needed for files without a debug id."],
  happy: async (page) => {
    await upload(page, "engine.sym", sym);
    const row = page.locator("tr", { hasText: "engine.so" }).first();
    await row.getByText("01234567-89ab-cdef-0123-456789abcdef").waitFor();
    await row.getByRole("button", { name: "Delete engine.sym" }).click();
    await page.getByRole("heading", { name: "Deleted" }).waitFor();
    await page.getByRole("button", { name: "Restore engine.sym" }).first().click();
    await page.getByRole("button", { name: "Delete engine.sym" }).first().waitFor();
  },
  keyboard: async (page) => {
    await page.getByLabel("Release").focus();
    await page.keyboard.type("1.0");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.name), "file");
  },
  plain: async (page) => { // no script: what is refused says why, and nothing is kept
    await upload(page, "app.js.map", '{"version":3,"sources":[],"names":[],"mappings":""}');
    await page.getByRole("alert").getByText("say which release").waitFor();
  },
});

// A dump that a project keeps: the card on the page of its crash, and its download.
test("dump: kept, shown on the crash, downloaded", { skip: ready ? false : "no demo: set BELLWETHER_DEMO" }, async () => {
  const dump = new URL("../../internal/stack/minidump/testdata/chromium-156-linux-renderer-sigsegv.dmp.gz", import.meta.url);
  const page = await open("operator");
  await page.goto("/extensions/acme.linter/setup");
  const key = keys["acme.linter"].Public;
  await page.getByLabel("Keep dumps").selectOption("7");
  await page.locator("#dumps").getByRole("button", { name: "Save" }).click();
  await page.getByText("saved", { exact: false }).first().waitFor();
  const sent = await fetch(url + "/api/v1/intake/minidump/" + key, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: fs.readFileSync(dump) });
  assert.equal(sent.status, 200);
  const id = await sent.text();
  for (let i = 0; (await page.goto("/crashes/" + id)).status() !== 200; i++) {
    assert.ok(i < 1200, "the crash has no page");
    await page.waitForTimeout(100);
  }
  const card = page.locator("#dump");
  await card.getByText("Kept encrypted until").waitFor();
  await card.getByText("the stack is unwound again from it").waitFor();
  await page.getByText("low trust").first().waitFor();
  const [file] = await Promise.all([page.waitForEvent("download"), card.getByRole("link", { name: "Download the minidump" }).click()]);
  assert.equal(fs.readFileSync(await file.path()).subarray(0, 4).toString(), "MDMP");
  await page.done();
});
