import assert from "node:assert/strict";
import { test } from "node:test";
import { account, axe, open, ready, spec, tabTo } from "./stage.mjs";

spec("sign-in", {
  role: null, path: "/sign-in", heading: "Sign in",
  keyboard: async (page) => {
    const who = account("operator");
    await tabTo(page, () => document.activeElement.id === "password").catch(() => {});
    await page.locator("#email").focus();
    await page.keyboard.type(who.email);
    await page.keyboard.press("Tab");
    await page.keyboard.type(who.password);
    await page.keyboard.press("Enter");
    await page.waitForURL((u) => u.pathname === "/");
  },
});

const skip = ready ? false : "no demo";
test("sign-in: a wrong password says so and keeps the address", { skip }, async () => {
  const page = await open(null, { js: false, quiet: false });
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("nobody@example.org");
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal(await page.getByLabel("E-mail").inputValue(), "nobody@example.org");
  await page.done();
});

test("whoever is not signed in gets there after the sign-in", { skip }, async () => {
  const page = await open(null);
  const who = account("operator");
  await page.goto("/crashes?days=30");
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/crashes\?days=30$/);
  await page.done();
});

test("an unknown address is a page of ours", { skip }, async () => {
  const page = await open("operator", { quiet: false });
  const r = await page.goto("/families/F-nothing");
  assert.equal(r.status(), 404);
  await page.getByRole("heading", { level: 1, name: "Not here" }).waitFor();
  await axe(page);
  await page.done();
});

test("an author sees their own extensions only", { skip }, async () => {
  const page = await open("author", { quiet: false });
  await page.goto("/extensions");
  const ids = await page.locator("tbody tr .sub").allInnerTexts();
  assert.ok(ids.length > 0, "an author has extensions");
  assert.equal(new Set(ids.map((x) => x.split(".")[0].trim())).size, 1, "all of one publisher: " + ids);
  const r = await page.goto("/settings/members");
  assert.ok([403, 404].includes(r.status()));
  await page.done();
});

test("JavaScript stays under 40 KB, and nothing is asked of another origin", { skip }, async () => {
  const page = await open("operator");
  let bytes = 0;
  page.on("response", async (r) => { if (/\.js$/.test(new URL(r.url()).pathname)) bytes += Number((await r.headerValue("content-length")) || (await r.body()).length); });
  await page.goto("/");
  await page.waitForLoadState("networkidle");
  assert.ok(bytes > 0 && bytes <= 40 * 1024, bytes + " bytes");
  await page.done();
});
