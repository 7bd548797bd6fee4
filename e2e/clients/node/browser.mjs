// A page of another origin reports with @sentry/browser from a real browser.
// Usage: DSN=… CHROMIUM=/usr/bin/chromium node browser.mjs; exits with 0 when the
// server answered every request of the page with 200.
import { createServer } from "node:http";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const bundle = await build({
  stdin: { contents: 'export * from "@sentry/browser";', resolveDir: import.meta.dirname },
  bundle: true, format: "iife", globalName: "Sentry", write: false, logLevel: "error", minify: true,
});
const page = `<!doctype html><title>A page</title><script src="/sentry.js"></script><script src="/extensions/acme.browser-2.0.1/app.js"></script><button id="go">Go</button>`;
const app = `
Sentry.init({ dsn: ${JSON.stringify(process.env.DSN)}, release: "acme-browser@2.0.1", environment: "production" });
Sentry.setUser({ id: "install-1" });
function runCommand(editor) { return editor.commands.run(); }
addEventListener("DOMContentLoaded", () => document.getElementById("go").addEventListener("click", function onClick() { runCommand({}); }));
window.leave = () => Sentry.captureFeedback({ message: "it broke when I clicked", email: "person@example.test" });
`;
const server = createServer((request, response) => {
  const files = { "/": ["text/html", page], "/sentry.js": ["text/javascript", bundle.outputFiles[0].text], "/extensions/acme.browser-2.0.1/app.js": ["text/javascript", app] };
  const [type, body] = files[request.url] ?? ["text/plain", ""];
  response.writeHead(body ? 200 : 404, { "content-type": type });
  response.end(body);
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"], headless: true });
const statuses = [];
try {
  const tab = await browser.newPage();
  const posted = (n) => new Promise((done) => tab.on("response", (r) => {
    if (r.request().method() === "POST" && r.url().includes("/envelope/")) statuses.push(r.status());
    if (statuses.length >= n) done();
  }));
  const all = posted(3); // a session, the error, the feedback; the session may be updated
  await tab.goto(`http://127.0.0.1:${server.address().port}/`);
  await tab.click("#go");
  await tab.evaluate(() => window.leave());
  await Promise.race([all, new Promise((_, fail) => setTimeout(() => fail(new Error(`only ${statuses.length} requests were answered`)), 90_000))]);
  await tab.waitForTimeout(500);
} finally {
  await browser.close();
  server.close();
}
console.log(JSON.stringify({ statuses }));
process.exit(statuses.every((s) => s === 200) ? 0 : 1);
