// Pages for everybody: receipts, /help, /fixed; nobody is signed in.
import { test } from "node:test";
import assert from "node:assert/strict";
import { axe, keys, noSideways, open, ready, receipts, url } from "./stage.mjs";

const skip = !ready && "no demo";
const path = (u) => new URL(u).pathname;

const looks = [
  ["/help", "What crashed, and whose fault is it?"], ["/fixed", "What was fixed"], ["/receipts/", "Find your report"],
  ...Object.keys(receipts).map((k) => [path(receipts[k]), null]),
];

for (const [where, heading] of looks) {
  test("public " + where.slice(0, 24), { skip }, async () => {
    for (const how of [{ js: true }, { js: true, dark: true }, { js: true, width: 390, height: 844 }, { js: false }]) {
      const page = await open(null, how);
      await page.goto(where);
      if (heading) await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      assert.equal(await page.locator("h1").count(), 1);
      await noSideways(page);
      if (how.js) await axe(page);
      await page.done();
    }
  });
}

test("every state of a report has a receipt in the demo", { skip }, () => {
  assert.deepEqual(Object.keys(receipts).sort(), ["counted", "expired", "fixed", "ignored", "known", "new", "withdrawn"]);
});

test("a reporter goes from the receipt to \"fixed, update\"", { skip }, async () => {
  // What a client is answered, at once.
  const pub = keys["acme.linter"].Public;
  const mark = "walk" + Date.now();
  const sent = await fetch(url + "/api/v1/intake/crashes", { method: "POST", headers: { "content-type": "application/json", "x-bellwether-key": pub },
    body: JSON.stringify({ source: { extension_version: "2.5.0" }, crashes: [{ platform: "javascript", exceptions: [{ type: "WalkError", value: "walked", frames: [{ function: mark, file: "extensions/acme.linter-2.5.0/out/walk.js", line: 1 }] }] }] }) });
  const told = (await sent.json()).items[0];
  assert.equal(told.outcome, "kept");
  assert.match(told.answer.receipt_url, /\/receipts\/[0-9a-f]{48}$/);
  const where = path(told.answer.receipt_url);

  const page = await open(null, { js: false });
  await page.goto(where);
  for (let i = 0; i < 240 && !(await page.getByText("You are the first to report this").count()); i++) {
    await page.waitForTimeout(500);
    await page.reload();
  }
  await page.getByRole("heading", { name: "You are the first to report this" }).waitFor();
  await page.getByLabel("What were you doing when it happened?").fill("I saved a file.");
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Send the note" }).click();
  await page.getByText("Your note was added to the report.").waitFor();

  // Its owner finds it, says what to do, and fixes it.
  const owner = await open("operator", { js: false });
  let family = "";
  for (let i = 0; i < 240 && !family; i++) {
    await owner.goto("/crashes?state=all&q=" + mark);
    const link = owner.locator("tbody a.title").first();
    if (await link.count()) family = await link.getAttribute("href");
    else await owner.waitForTimeout(500);
  }
  await owner.goto(family);
  await owner.getByLabel("Workaround").fill("Save **twice**.");
  await owner.getByLabel("Release with the fix").fill("2.5.1");
  await owner.getByRole("button", { name: "Save the answer" }).click();
  await owner.getByText("Reporters read it from now on.").waitFor();
  await owner.getByLabel("Change to").selectOption("resolved");
  await owner.getByRole("button", { name: "Change the state" }).click();
  await owner.getByText("The state was changed.").waitFor();
  await owner.getByRole("button", { name: "Publish the fix" }).click();
  await owner.getByText("It stands in the public log.").waitFor();
  await owner.done();

  for (let i = 0; i < 240 && !(await page.getByText("Fixed in 2.5.1: please update").count()); i++) {
    await page.waitForTimeout(500);
    await page.goto(where);
  }
  await page.getByRole("heading", { name: "Fixed in 2.5.1: please update" }).waitFor();
  assert.equal(await page.locator(".prose strong").innerText(), "twice");
  await page.getByRole("link", { name: "Read what was fixed" }).click();
  await page.getByRole("heading", { name: "Before and after" }).waitFor();

  // Withdrawn, with a proof.
  await page.goto(where);
  await page.getByRole("link", { name: "Withdraw this report" }).click();
  await page.getByRole("button", { name: "Yes, withdraw my report" }).click();
  await page.getByRole("heading", { name: "You withdrew this report" }).waitFor();
  await page.getByRole("heading", { name: "Your proof" }).waitFor();
  await page.done();
});

test("a pasted trace names the culprit, and its fix", { skip }, async () => {
  const page = await open(null, { js: false });
  await page.goto("/help");
  await page.getByLabel("Error and stack trace").fill("TypeError: Cannot read properties of undefined (reading 'tabSize')\n    at EditorOptions.resolve (/home/ann/.vscode/extensions/acme.linter-2.4.0/out/config/options.js:88:27)\n    at LintSession.start (/home/ann/.vscode/extensions/acme.linter-2.4.0/out/session.js:41:19)");
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByRole("heading", { name: "Why we say so" }).waitFor();
  await page.getByText("acme.linter").first().waitFor();
  assert.equal((await page.content()).includes("/home/ann"), false);
  await page.goto("/help");
  await page.getByLabel("Error and stack trace").fill("nothing of the kind");
  await page.getByRole("button", { name: "Read it" }).click();
  await page.getByText("No stack trace was found").waitFor();
  await page.done();
});
