// The stage of every spec: a running demo, one browser, people who are signed in.
//
// Which demo: BELLWETHER_DEMO names the demo.json that `bellwether demo --keep DIR`
// wrote ({url, accounts: [{role, email, password}]}); BELLWETHER_URL replaces its
// address. run.mjs starts one and sets both. Without them specs are skipped, and
// fail where CI=true.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axeSource = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const file = process.env.BELLWETHER_DEMO;
const demo = file ? JSON.parse(fs.readFileSync(file, "utf8")) : null;
export const url = process.env.BELLWETHER_URL || (demo && demo.url);
export const receipts = (demo && demo.receipts) || {};
export const keys = (demo && demo.keys) || {};
export const ready = Boolean(demo && url);
if (!ready && process.env.CI === "true") throw new Error("set BELLWETHER_DEMO to the demo.json of a running demo");

// mailTo waits for the newest mail to an address whose subject fits, and reads it.
export async function mailTo(address, subject, tries = 240) {
  for (let i = 0; i < tries; i++) {
    const files = fs.readdirSync(demo.mails).filter((f) => f.endsWith(".eml")).map((f) => demo.mails + "/" + f).sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
    for (const f of files) {
      const raw = fs.readFileSync(f, "utf8"), head = raw.split(/\r?\n\r?\n/)[0].replace(/\r?\n[ \t]+/g, " ");
      const get = (name) => (head.match(new RegExp("^" + name + ": (.*)$", "mi")) || [])[1] || "";
      const title = get("Subject").replace(/=\?utf-8\?q\?(.*?)\?=\s*/gi, (_, q) => decodeURIComponent(q.replace(/_/g, " ").replace(/%/g, "%25").replace(/=([0-9A-F]{2})/g, "%$1")));
      if (!get("To").includes(address) || !subject.test(title)) continue;
      const text = raw.replace(/=\r?\n/g, "").replace(/=3D/g, "=");
      return { subject: title, head, text, stop: get("List-Unsubscribe").replace(/[<>]/g, ""), links: [...text.matchAll(/https?:\/\/[^\s"<>]+/g)].map((m) => m[0]) };
    }
    await new Promise((done) => setTimeout(done, 500));
  }
  assert.fail("no mail to " + address + " about " + subject);
}

// How long a fact may take to show: a slow machine is no fault of the page.
const patience = 120_000;

let browser;
const states = new Map();
before(async () => {
  if (ready) browser = await chromium.launch({ executablePath: process.env.BELLWETHER_CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => browser && browser.close());

export function account(role) {
  const a = demo.accounts.find((x) => x.role === role) || demo.accounts.find((x) => (x.roles || []).includes(role));
  assert.ok(a, "the demo has no " + role);
  return a;
}

// signedIn gives the cookies of a role; it signs in once per file, through the form.
async function signedIn(role) {
  if (!states.has(role)) {
    const who = account(role);
    const ctx = await browser.newContext({ baseURL: url });
    ctx.setDefaultTimeout(90_000);
    ctx.setDefaultTimeout(patience);
    const page = await ctx.newPage();
    await page.goto("/sign-in");
    await page.getByLabel("E-mail").fill(who.email);
    await page.getByLabel("Password").fill(who.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((u) => u.pathname === "/");
    states.set(role, await ctx.storageState());
    await ctx.close();
  }
  return states.get(role);
}

// open gives a fresh page. It watches: whatever the page asks of another origin,
// and whatever it complains of (our content security policy included), fails the test.
export async function open(role, { js = true, width = 1280, height = 860, dark = false, quiet = true } = {}) {
  const ctx = await browser.newContext({
    baseURL: url, javaScriptEnabled: js, viewport: { width, height }, colorScheme: dark ? "dark" : "light",
    storageState: role ? await signedIn(role) : undefined,
  });
  ctx.setDefaultTimeout(90_000); // a slow machine is no fault of a page
  ctx.setDefaultTimeout(patience);
  const page = await ctx.newPage();
  const faults = [];
  page.on("console", (m) => { if (m.type() === "error" && quiet && !/status of (400|401|403|404|422)/.test(m.text())) faults.push(m.text()); });
  page.on("pageerror", (e) => faults.push(String(e)));
  page.on("request", (r) => { if (!r.url().startsWith(url) && !r.url().startsWith("data:")) faults.push("asked " + r.url()); });
  page.faults = faults;
  page.done = async () => { await ctx.close(); assert.deepEqual(faults, []); };
  return page;
}

const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// axe reports what WCAG 2.2 AA or best practice would complain of.
export async function axe(page) {
  await page.evaluate(axeSource);
  const found = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), rules);
  assert.deepEqual(found.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(", ")), []);
}

// noSideways: nothing makes the page itself scroll to the side.
export async function noSideways(page) {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth <= 0), true, "the page scrolls sideways");
}

// For a spec with a server of its own.
export const browserOf = async () => browser;

// tabTo presses Tab until the focus is on what `wanted` says, and fails after `most`.
export async function tabTo(page, wanted, most = 80) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(wanted)) {
      const ring = await page.evaluate(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; });
      assert.ok(ring, "the focus cannot be seen");
      return;
    }
  }
  assert.fail("the keyboard does not get there");
}

// spec is what every page must keep. `path` may be a function that finds it.
export function spec(name, { role = "operator", path, heading, landmark, keyboard, happy, plain }) {
  const at = async (page) => (typeof path === "function" ? path(page) : path);
  const skip = ready ? false : "no demo: set BELLWETHER_DEMO";
  const visit = async (page) => {
    await page.goto(await at(page));
    if (heading) await page.getByRole("heading", { level: 1, name: heading }).waitFor();
  };
  test(name + ": shows what it is for", { skip }, async () => {
    const page = await open(role);
    await visit(page);
    for (const text of landmark || []) await page.getByText(text).locator("visible=true").first().waitFor();
    if (happy) await happy(page);
    await page.done();
  });
  for (const [width, dark] of [[1280, false], [1280, true], [390, false], [390, true]]) {
    test(`${name}: axe is content, nothing sticks out, at ${width} px, ${dark ? "dark" : "light"}`, { skip }, async () => {
      const page = await open(role, { width, height: width > 600 ? 860 : 844, dark });
      await visit(page);
      await noSideways(page);
      await axe(page);
      await page.done();
    });
  }
  test(name + ": works from the keyboard", { skip }, async () => {
    const page = await open(role);
    await visit(page);
    if (role) {
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first stop skips to the content");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    }
    if (keyboard) await keyboard(page);
    await page.done();
  });
  test(name + ": complete without a script", { skip }, async () => {
    const page = await open(role, { js: false });
    await visit(page);
    for (const text of landmark || []) await page.getByText(text).locator("visible=true").first().waitFor();
    if (plain) await plain(page);
    await page.done();
  });
}

// hrefOf finds the address of the first link of a page that fits.
export async function hrefOf(page, from, selector) {
  await page.goto(from);
  const href = await page.locator(selector).first().getAttribute("href");
  assert.ok(href, "no " + selector + " on " + from);
  return href;
}
