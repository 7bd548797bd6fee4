// What reaches people outside a signed-in page: new passwords, unsubscribing, news of
// a report by mail and in the browser, channels. The mails are real: the demo's mail
// server keeps them.
import { test } from "node:test";
import assert from "node:assert/strict";
import http from "node:http";
import { account, axe, hrefOf, keys, mailTo, noSideways, open, ready, receipts, spec, url } from "./stage.mjs";

const skip = !ready && "no demo";
const path = (u) => { const x = new URL(u); return x.pathname + x.search; };

// looked opens a page in all four combinations and without a script.
async function looked(where, heading) {
  for (const how of [{}, { dark: true }, { width: 390, height: 844 }, { width: 390, height: 844, dark: true }, { js: false }]) {
    const page = await open(null, how);
    await page.goto(where);
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    await noSideways(page);
    if (how.js !== false) await axe(page);
    await page.done();
  }
}

spec("forgot", { role: null, path: "/forgot", heading: "Forgot your password?" });

test("a forgotten password comes back by mail", { skip }, async () => {
  const who = account("triager");
  const page = await open(null, { js: false });
  await page.goto("/sign-in");
  await page.getByRole("link", { name: /Forgot/ }).click();
  await page.getByLabel("E-mail").fill("nobody@nowhere.example");
  await page.getByRole("button", { name: "Mail me a link" }).click();
  const unknown = await page.getByRole("status").innerText();
  await page.goto("/forgot");
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByRole("button", { name: "Mail me a link" }).click();
  assert.equal(await page.getByRole("status").innerText(), unknown, "whether there is such an account is not told");
  const mail = await mailTo(who.email, /new password/);
  await page.goto(path(mail.links.find((l) => l.includes("/reset?token="))));
  await page.getByLabel("Password", { exact: true }).fill(who.password);
  await page.getByLabel("Password, again").fill(who.password);
  await page.locator("form button[type=submit]").first().click();
  await page.getByText("The new password holds.").waitFor();
  await page.done();
});

test("a mail of news can be ended from itself", { skip }, async () => {
  const owner = await open("triager", { js: false });
  await owner.goto("/settings/notifications");
  await owner.getByRole("button", { name: /test/i }).first().click();
  await owner.getByText("The test message arrived.").waitFor();
  const mail = await mailTo(account("triager").email, /test message/);
  assert.match(mail.head, /^Auto-Submitted: auto-generated/mi);
  const where = path(mail.stop);
  await looked(where, "Get no more of these?");
  const page = await open(null, { js: false });
  await page.goto(where);
  await page.getByRole("button", { name: "Unsubscribe" }).click();
  await page.getByText("You get no more mails about").waitFor();
  await page.goto("/unsubscribe?token=nonsense");
  await page.getByText("This link is not one of ours").waitFor();
  await page.done();
  await owner.goto("/settings/notifications"); // and back on, for who looks at the demo next
  for (const box of await owner.locator("select[name^='mode']").all()) {
    assert.equal(await box.inputValue(), "never");
    await box.selectOption("immediate");
  }
  await owner.getByRole("button", { name: "Save" }).click();
  await owner.getByText("Saved.").waitFor();
  await owner.done();
});

// report sends a crash that nobody sent before and returns the path of its receipt.
async function report(mark) {
  const sent = await fetch(url + "/api/v1/intake/crashes", { method: "POST", headers: { "content-type": "application/json", "x-bellwether-key": keys["acme.linter"].Public },
    body: JSON.stringify({ source: { extension_version: "2.5.0" }, crashes: [{ platform: "javascript", exceptions: [{ type: "ReachError", value: "reached", frames: [{ function: mark, file: "extensions/acme.linter-2.5.0/out/reach.js", line: 1 }] }] }] }) });
  const where = new URL((await sent.json()).items[0].answer.receipt_url).pathname;
  const page = await open(null, { js: false });
  await page.goto(where);
  for (let i = 0; i < 240 && !(await page.getByText("You are the first to report this").count()); i++) {
    await page.waitForTimeout(500);
    await page.reload();
  }
  await page.getByRole("heading", { name: "You are the first to report this" }).waitFor();
  await page.done();
  return where;
}

// familyOf finds the family of a report as its owner does.
async function familyOf(owner, mark) {
  for (let i = 0; i < 240; i++) {
    await owner.goto("/crashes?state=all&q=" + mark);
    const link = owner.locator("tbody a.title").first();
    if (await link.count()) return link.getAttribute("href");
    await owner.waitForTimeout(500);
  }
  assert.fail("no family of " + mark);
}

test("a reporter is told by mail, after saying yes", { skip }, async () => {
  const mark = "reach" + Date.now(), ann = mark + "@reporter.example", where = await report(mark);
  const page = await open(null, { js: false });
  await page.goto(where);
  assert.equal(await page.getByRole("button", { name: "Tell this browser" }).isVisible(), false, "needs a script");
  await page.getByLabel("Your e-mail address").fill(ann);
  await page.getByRole("button", { name: "Mail me" }).click();
  await page.getByText("A mail with a link is on its way").waitFor();
  await page.getByText("1 address has not said yes yet").waitFor();
  const ask = await mailTo(ann, /Do you want news/);
  assert.ok(!ask.text.includes(where), "the first mail names no receipt");
  const link = path(ask.links.find((l) => l.includes("/following?token=")));
  await looked(link, "News of your report");
  await looked(path(ask.stop), "Get no more of these?");
  await page.goto(link);
  await page.getByRole("button", { name: "Yes, tell me" }).click();
  await page.getByText("You will be told when something changes.").waitFor();
  await page.getByText("1 address will be told").waitFor();

  const owner = await open("operator", { js: false });
  await owner.goto(await familyOf(owner, mark));
  await owner.getByLabel("Workaround").fill("Reach **further**.");
  await owner.getByRole("button", { name: "Save the answer" }).click();
  await owner.getByText("Reporters read it from now on.").waitFor();
  const first = await mailTo(ann, /A workaround/, 240);
  assert.ok(!first.text.includes("further"), "what the owner wrote is on the page");
  await owner.getByLabel("Change to").selectOption("resolved");
  await owner.getByRole("button", { name: "Change the state" }).click();
  await owner.getByText("The state was changed.").waitFor();
  await owner.done();
  const last = await mailTo(ann, /Fixed/, 240);
  await page.goto(path(last.links.find((l) => l.includes("/receipts/"))));
  assert.equal(new URL(page.url()).pathname, where);
  await page.getByRole("heading", { name: /^Fixed/ }).waitFor();
  assert.equal(await page.getByText("will be told").count(), 0, "the address is forgotten");
  await page.done();
});

// The browser's own push service cannot be reached from a test: its subscription is
// made here, to a push service of ours; everything else is the real page and server.
test("a browser is told, and shows it", { skip }, async () => {
  const came = [];
  const service = http.createServer((req, res) => { const parts = []; req.on("data", (b) => parts.push(b)); req.on("end", () => { came.push({ head: req.headers, body: Buffer.concat(parts) }); res.writeHead(201).end(); }); });
  await new Promise((done) => service.listen(0, "127.0.0.1", done));
  const endpoint = "http://127.0.0.1:" + service.address().port + "/push/one";
  const mine = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
  const pub = Buffer.from(await crypto.subtle.exportKey("raw", mine.publicKey)), auth = crypto.getRandomValues(Buffer.alloc(16));
  const mark = "push" + Date.now(), where = await report(mark);
  const page = await open(null);
  await page.context().grantPermissions(["notifications"], { origin: url });
  await page.addInitScript(([endpoint, p256dh, auth]) => {
    PushManager.prototype.subscribe = async function (o) {
      if (!o.userVisibleOnly || o.applicationServerKey.length !== 87) throw new Error("not asked as it should be");
      return { toJSON: () => ({ endpoint, keys: { p256dh, auth } }) };
    };
    PushManager.prototype.getSubscription = async () => null;
  }, [endpoint, pub.toString("base64url"), auth.toString("base64url")]);
  await page.goto(where);
  await page.evaluate(() => { Notification.requestPermission = async () => "granted"; });
  await page.getByRole("button", { name: "Tell this browser" }).click();
  await page.getByText("This browser is told when something changes.").waitFor();
  await axe(page);

  const owner = await open("operator", { js: false });
  await owner.goto(await familyOf(owner, mark));
  await owner.getByLabel("Workaround").fill("Push **back**.");
  await owner.getByRole("button", { name: "Save the answer" }).click();
  await owner.getByText("Reporters read it from now on.").waitFor();
  await owner.done();
  for (let i = 0; i < 240 && !came.length; i++) await page.waitForTimeout(500);
  service.close();
  assert.equal(came.length, 1);
  assert.match(came[0].head.authorization, /^vapid t=[\w-]+\.[\w-]+\.[\w-]+, k=[\w-]{87}$/);
  const told = JSON.parse(await decrypt(came[0].body, mine.privateKey, pub, auth));
  assert.match(told.title, /^A workaround: your report to acme.linter/);
  assert.equal(new URL(told.url).pathname, where);

  // And the worker shows what came, in the real browser. The messages of a push
  // service are answered and repeated; those of the browser's own tools are neither.
  const cdp = await page.context().newCDPSession(page), seen = [];
  const registered = new Promise((done) => cdp.on("ServiceWorker.workerRegistrationUpdated", (e) => e.registrations.forEach((r) => r.scopeURL.endsWith("/receipts/") && done(r.registrationId))));
  cdp.on("ServiceWorker.workerVersionUpdated", (e) => e.versions.forEach((v) => seen.push(v.status + " and " + v.runningStatus)));
  cdp.on("ServiceWorker.workerErrorReported", (e) => seen.push(e.errorMessage.errorMessage));
  await cdp.send("ServiceWorker.enable");
  const shown = () => page.evaluate(async () => (await (await navigator.serviceWorker.getRegistration("/receipts/")).getNotifications()).map((n) => n.title));
  for (let i = 0; i < 240 && !(await shown()).length; i++) {
    if (i % 40 === 0) await cdp.send("ServiceWorker.deliverPushMessage", { origin: url, registrationId: await registered, data: JSON.stringify(told) });
    await page.waitForTimeout(250);
  }
  assert.deepEqual(await shown(), [told.title], "the worker was " + seen.join(", ") + "; notifications are " + await page.evaluate(() => Notification.permission));
  await page.done();
});

// decrypt reads a message as a browser does (RFC 8291).
async function decrypt(body, priv, pub, auth) {
  const salt = body.subarray(0, 16), peer = body.subarray(21, 86), text = (s) => Buffer.from(s);
  const hkdf = async (ikm, salt, info, n) => Buffer.from(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, await crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]), n * 8));
  const secret = await crypto.subtle.deriveBits({ name: "ECDH", public: await crypto.subtle.importKey("raw", peer, { name: "ECDH", namedCurve: "P-256" }, false, []) }, priv, 256);
  const ikm = await hkdf(secret, auth, Buffer.concat([text("WebPush: info\0"), pub, peer]), 32);
  const key = await crypto.subtle.importKey("raw", await hkdf(ikm, salt, text("Content-Encoding: aes128gcm\0"), 16), "AES-GCM", false, ["decrypt"]);
  const plain = Buffer.from(await crypto.subtle.decrypt({ name: "AES-GCM", iv: await hkdf(ikm, salt, text("Content-Encoding: nonce\0"), 12) }, key, body.subarray(86)));
  return plain.subarray(0, plain.lastIndexOf(2)).toString();
}

spec("a channel", { path: (page) => hrefOf(page, "/settings/notifications", 'a[href^="/settings/channels/"]:not([href$="/new"])'), landmark: ["Deliveries"] });
