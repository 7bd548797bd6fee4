import assert from "node:assert/strict";
import { hrefOf, open, ready, spec } from "./stage.mjs";
import { test } from "node:test";

const path = async (page) => (await hrefOf(page, "/extensions", "tbody a.title")) + "/setup";

spec("set-up", {
  path, landmark: ["Choose your client", "Send a test event", "Keys", "Consent"],
  happy: async (page) => {
    for (const client of ["Node", "Python", "OpenTelemetry", "VS Code", "curl"]) {
      await page.getByRole("navigation", { name: "Client" }).getByRole("link", { name: client, exact: true }).click();
      const code = await page.locator("pre.code").allInnerTexts();
      assert.ok(code.some((c) => /[0-9a-f]{32}|InstrumentationKey=/.test(c)), client + " shows the key");
    }
    assert.ok(await page.getByRole("button", { name: /^Copy/ }).count() > 0);
  },
});

test("set-up: a test event is sent and shows up, or says why not", { skip: ready ? false : "no demo" }, async () => {
  const page = await open("operator");
  await page.goto(await path(page));
  await page.getByRole("button", { name: "Send a test event from here" }).click();
  await page.getByText(/A test event was sent|The door refused/).waitFor();
  await page.locator("#live").getByText(/Accepted|Stored|Dropped/).first().waitFor();
  await page.done();
});
