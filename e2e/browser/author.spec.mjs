// The walk of an author: from the mail about a new family to the published fix.
// A server of its own, with a mail server of its own; nothing is pretended.
import { after, test } from "node:test";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { axe, browserOf, ready } from "./stage.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const bin = process.env.BELLWETHER_BIN || path.join(here, "..", "..", "bellwether");
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-author-"));
const ends = [];
after(async () => { for (const f of ends.reverse()) await f(); fs.rmSync(dir, { recursive: true, force: true }); });

// mailbox is an SMTP server that keeps what it is sent.
async function mailbox() {
  const mails = [];
  const server = net.createServer((c) => {
    let said = "", data = false, to = "";
    c.setEncoding("utf8");
    c.on("error", () => {});
    c.write("220 mailbox ESMTP\r\n");
    c.on("data", (chunk) => {
      said += chunk;
      for (;;) {
        if (data) {
          const end = said.indexOf("\r\n.\r\n");
          if (end < 0) return;
          mails.push({ to, raw: said.slice(0, end) });
          said = said.slice(end + 5); data = false;
          c.write("250 kept\r\n");
          continue;
        }
        const end = said.indexOf("\r\n");
        if (end < 0) return;
        const line = said.slice(0, end);
        said = said.slice(end + 2);
        if (/^RCPT/i.test(line)) to = (line.match(/<([^>]*)>/) || [])[1];
        if (/^EHLO/i.test(line)) c.write("250-mailbox\r\n250 8BITMIME\r\n");
        else if (/^DATA/i.test(line)) { data = true; c.write("354 go on\r\n"); }
        else if (/^QUIT/i.test(line)) { c.write("221 bye\r\n"); c.end(); }
        else c.write("250 ok\r\n");
      }
    });
  });
  await new Promise((r) => server.listen(0, "127.0.0.1", r));
  ends.push(() => new Promise((r) => server.close(r)));
  // next waits for a mail to somebody whose subject fits, and returns its text.
  const next = async (to, subject, seconds = 180) => {
    for (let i = 0; i < seconds * 4; i++) {
      const at = mails.findIndex((m) => m.to === to && subject.test(header(m.raw, "Subject")));
      if (at >= 0) return plain(mails.splice(at, 1)[0].raw);
      await new Promise((r) => setTimeout(r, 250));
    }
    assert.fail(`no mail to ${to} about ${subject}; there are: ${mails.map((m) => m.to + " " + header(m.raw, "Subject")).join("; ")}`);
  };
  return { port: server.address().port, next };
}

const header = (raw, name) => {
  const head = raw.split("\r\n\r\n")[0].replace(/\r\n[ \t]+/g, " ");
  const line = head.split("\r\n").find((l) => l.toLowerCase().startsWith(name.toLowerCase() + ":")) || "";
  return line.slice(name.length + 1).trim().replace(/=\?utf-8\?q\?([^?]*)\?=/gi, (_, w) => quoted(w.replaceAll("_", " ")));
};
const quoted = (s) => Buffer.from(s.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/gi, (_, h) => String.fromCharCode(parseInt(h, 16))), "latin1").toString("utf8");

// plain is the text part of a mail.
function plain(raw) {
  const part = raw.split(/\r\n--[^\r\n]+\r\n/).find((p) => /content-type: text\/plain/i.test(p)) || raw;
  const [head, ...body] = part.split("\r\n\r\n");
  const text = body.join("\r\n\r\n");
  if (/base64/i.test(head)) return Buffer.from(text, "base64").toString("utf8");
  return /quoted-printable/i.test(head) ? quoted(text) : text;
}

const cli = (...args) => execFileSync(bin, [...args, "--data", path.join(dir, "data")], { encoding: "utf8" });

// serve starts the server and returns its address and the link that sets it up.
async function serve(port) {
  const p = spawn(bin, ["serve", "--data", path.join(dir, "data"), "--listen", "127.0.0.1:0", "--mail-url", `smtp://127.0.0.1:${port}?tls=none`, "--mail-from", "Bellwether <bellwether@example.org>", "--log-level", "error"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  p.stdout.on("data", (b) => { said += b; });
  p.stderr.on("data", (b) => { said += b; });
  ends.push(() => new Promise((r) => { p.on("exit", r); p.kill("SIGTERM"); }));
  for (let i = 0; i < 1200; i++) {
    const m = said.match(/(http:\/\/[^/\s]+)\/setup\?token=\S+/);
    if (m) return { url: m[1], setup: m[0] };
    assert.equal(p.exitCode, null, said);
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.fail("the server did not start:\n" + said);
}

const link = (text, pattern) => { const m = text.match(pattern); assert.ok(m, "no link in:\n" + text); return m[0]; };
const password = "a believable password";

test("an author goes from the mail to the published fix", { skip: ready ? false : "no demo: set BELLWETHER_DEMO", timeout: 900_000 }, async () => {
  const key = cli("extension", "add", "acme.todo", "--kind", "vscode", "--tiers", "crash").match(/key ([0-9a-f]{32})/)[1];
  cli("release", "add", "acme.todo@1.0.0");
  cli("release", "add", "acme.todo@1.1.0");
  const box = await mailbox();
  const { url, setup } = await serve(box.port);
  const browser = await browserOf();
  const context = async (js = true) => {
    const ctx = await browser.newContext({ baseURL: url, javaScriptEnabled: js });
    ctx.setDefaultTimeout(90_000);
    ends.push(() => ctx.close());
    return ctx.newPage();
  };

  // Somebody keeps the server, and invites the author by mail.
  const keeper = await context(false);
  await keeper.goto(setup);
  await keeper.getByLabel("Your name").fill("Ines Duarte");
  await keeper.getByLabel("E-mail").fill("ines@example.org");
  await keeper.getByLabel("Password", { exact: true }).fill(password);
  await keeper.getByLabel("Password, again").fill(password);
  await keeper.getByRole("button", { name: "Create the account" }).click();
  await keeper.goto("/settings/members");
  await keeper.getByLabel("E-mail").fill("ravi@acme.example");
  await keeper.getByRole("checkbox", { name: /^author/ }).check();
  await keeper.getByLabel("Author of publisher").selectOption("acme");
  await keeper.getByRole("button", { name: "Make the invitation" }).click();
  await keeper.getByText("The invitation is ready.").waitFor();
  const page = await context();
  await page.goto(link(await box.next("ravi@acme.example", /invit/i), /http:\S+\/invitation\?token=\S+/));
  await page.getByLabel("Your name").fill("Ravi Menon");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password, again").fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((u) => u.pathname === "/");

  // A client reports; its user gets a receipt.
  const send = async (install) => {
    const r = await fetch(url + "/api/v1/intake/crashes", { method: "POST", headers: { "content-type": "application/json", "x-bellwether-key": key },
      body: JSON.stringify({ source: { extension_version: "1.0.0", install }, crashes: [{ platform: "javascript", level: "fatal", exceptions: [{ type: "TypeError", value: "Cannot read properties of undefined (reading 'rows')", frames: [
        { function: "saveAll", file: "extensions/acme.todo-1.0.0/out/store.js", line: 12 }, { function: "onClose", file: "extensions/acme.todo-1.0.0/out/main.js", line: 4 }] }] }] }) });
    const told = (await r.json()).items[0];
    assert.equal(told.outcome, "kept");
    return told.answer.receipt_url;
  };
  const receipt = await send("one");
  await send("two");

  // The author is told, and follows the link of the mail.
  const mail = await box.next("ravi@acme.example", /TypeError/);
  assert.match(mail, /saveAll|TypeError/);
  await page.goto(link(mail, /http:\S+\/families\/F-[0-9A-Z]+/));
  await page.getByRole("heading", { level: 1, name: /saveAll/ }).waitFor();
  const family = new URL(page.url()).pathname;

  // Who is blamed, and why; how urgent it is, and why.
  const blame = page.locator("section", { has: page.getByRole("heading", { name: "Who is blamed, and why" }) });
  await blame.getByText("acme.todo").waitFor();
  assert.match(await blame.innerText(), /first (frame of an extension|extension on the stack)/i);
  await page.getByText("Data may be lost").waitFor();
  await axe(page);

  // Takes it and says so, by the keyboard.
  await page.getByRole("button", { name: "Take it myself" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Done.").waitFor();
  assert.match(await page.locator("#triage .dl").innerText(), /Ravi Menon/);
  await page.getByRole("textbox", { name: "Comment" }).first().focus();
  await page.keyboard.type("The store is **closed** before it is saved.");
  for (let i = 0; i < 6 && !(await page.evaluate(() => document.activeElement.textContent === "Comment")); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Your comment is there.").waitFor();
  assert.equal(await page.locator("#activity .prose strong").innerText(), "closed");
  await page.goto("/settings/profile");
  await page.locator("section", { hasText: "Given to you" }).getByRole("link", { name: /saveAll/ }).click();
  await page.waitForURL((u) => u.pathname === family);

  // Resolved in a release that the register knows.
  await page.getByLabel("Change to").selectOption("resolved");
  await page.getByLabel("If resolved, in").selectOption("1.1.0");
  await page.locator("#note").fill("Saved before it is closed.");
  await page.keyboard.press("Enter");
  await page.getByText("The state was changed.").waitFor();
  await page.getByText("Ravi Menon resolved it in 1.1.0").waitFor();

  // The public entry is written and published.
  await page.getByText("For the public log").click();
  await page.getByLabel("Title").fill("Closing the window lost the last change");
  await page.getByLabel("Notes").fill("The list is saved **before** the window closes.");
  await page.getByLabel("Workaround").fill("Save by hand.");
  await page.getByLabel("Release with the fix").fill("1.1.0");
  await page.getByRole("button", { name: "Save the answer" }).click();
  await page.getByText("Reporters read it from now on.").waitFor();
  await page.getByRole("button", { name: "Publish the fix" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("It stands in the public log.").waitFor();

  // Everybody reads it: the page, its feed, its data.
  const anybody = await context(false);
  await anybody.goto("/fixed");
  await anybody.getByRole("link", { name: "Closing the window lost the last change" }).click();
  await anybody.getByRole("heading", { level: 1, name: "Closing the window lost the last change" }).waitFor();
  assert.equal(await anybody.locator(".prose strong").first().innerText(), "before");
  await anybody.getByText("leaf").first().waitFor();
  const atom = await (await fetch(url + "/fixed.atom")).text();
  assert.match(atom, /<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom"/);
  assert.match(atom, /Closing the window lost the last change/);
  assert.match(await (await fetch(url + "/fixed.atom?extension=acme.todo")).text(), /Closing the window/);
  const json = await (await fetch(url + "/fixed.json")).json();
  const entry = (json.items || json.entries)[0];
  assert.equal(entry.title, "Closing the window lost the last change");
  assert.equal(entry.fixed_in, "1.1.0");
  assert.ok(entry.log.leaf && entry.log.root, "with its place in the tamper-evident log");

  // And the reporter reads that it is fixed.
  const fixed = anybody.getByRole("heading", { name: "Fixed in 1.1.0: please update" });
  await anybody.goto(receipt);
  for (let i = 0; i < 240 && !(await fixed.count()); i++) {
    await anybody.waitForTimeout(500);
    await anybody.reload();
  }
  await anybody.getByRole("heading", { name: "Fixed in 1.1.0: please update" }).waitFor();
  await anybody.getByRole("link", { name: "Read what was fixed" }).click();
  await anybody.getByRole("heading", { name: "Before and after" }).waitFor();

  // The log holds that the author did it.
  await keeper.goto("/settings/audit");
  await keeper.getByText(/publish/).first().waitFor();
});
