// Opens pages that opted in to the Reporting API in a real Chromium: they break
// their Content-Security-Policy, and one dies. Nothing but the browser sends anything.
// Usage: PAGE=https://… CHROMIUM=/usr/bin/chromium node reporting.mjs
// Ends when its input does: whoever started it knows what came.
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--ignore-certificate-errors", "--short-reporting-delay"],
});
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const open = async (path) => {
    const tab = await context.newPage();
    await tab.goto(`${process.env.PAGE}${path}?user=42#jo`);
    await tab.waitForTimeout(1500);
    return tab;
  };
  await open("/orders/12345678");
  await open("/old/12345678");
  const dying = await open("/dying");
  await dying.goto("chrome://crash").catch(() => {}); // its process ends
  process.stdin.resume();
  await new Promise((done) => process.stdin.on("end", done));
} finally {
  await browser.close();
}
