import assert from "node:assert/strict";
import { hrefOf, open, spec } from "./stage.mjs";

spec("extensions", {
  path: "/extensions", heading: "Extensions", landmark: ["Crash-free sessions", "Installs hit"],
  happy: async (page) => {
    const rows = page.locator("tbody tr");
    assert.ok(await rows.count() >= 3);
    const name = (await rows.first().locator("a.title").first().innerText()).trim();
    await page.getByLabel("Name or id").fill(name);
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("link", { name, exact: true }).first().click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
  },
  keyboard: async (page) => {
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const second = await page.evaluate(() => document.activeElement.getAttribute("href"));
    await page.keyboard.press("k");
    assert.notEqual(await page.evaluate(() => document.activeElement.getAttribute("href")), second);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/extensions\/[^/]+$/);
  },
  plain: async (page) => {
    await page.getByLabel("Name or id").fill("no such extension");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByText("No extension fits").waitFor();
  },
});

spec("extension", {
  path: (page) => hrefOf(page, "/extensions", "tbody a.title"), landmark: ["Open families", "Latest release", "On the time line"],
  happy: async (page) => {
    await page.getByRole("link", { name: "Set-up" }).click();
    await page.getByText("Choose your client").waitFor();
  },
});

spec("registering an extension", {
  path: "/extensions/new", heading: "Register an extension", landmark: ["Summary"],
  plain: async (page) => {
    await page.getByLabel("Id", { exact: true }).fill("nodot");
    await page.getByLabel("Name", { exact: true }).fill("Without a dot");
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByRole("alert").getByText("publisher.name").waitFor();
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Without a dot", "what was entered stays");
  },
});

spec("claims", {
  path: "/claims", heading: "Claim an extension", landmark: ["A new claim"],
  plain: async () => {
    const page = await open("author", { js: false });
    await page.goto("/claims");
    await page.getByLabel("Id of the extension").fill("pixelforge.palette");
    await page.getByRole("button", { name: "How to prove it" }).click();
    await page.getByText("The marketplace's list").click();
    await page.getByRole("button", { name: "Open the claim" }).click();
    await page.getByText("Waiting for the proof").first().waitFor();
    await page.getByRole("button", { name: "Look for the proof" }).first().click();
    await page.getByText("does not name your e-mail address").first().waitFor();
    await page.getByRole("button", { name: "Withdraw" }).first().click();
    await page.getByText("Ended").first().waitFor();
    await page.getByLabel("Id of the extension").fill("acme.linter");
    await page.getByRole("button", { name: "How to prove it" }).click();
    await page.getByText("belongs to acme already").waitFor();
    await page.getByRole("link", { name: "Go to the extension" }).waitFor();
    await page.done();
  },
});
