import assert from "node:assert/strict";
import { hrefOf, open, spec } from "./stage.mjs";

spec("crashes", {
  path: "/crashes", heading: "Crashes", landmark: ["Regressed", "Installs"],
  happy: async (page) => {
    const title = (await page.locator("tbody a.title").first().innerText()).trim();
    await page.locator("form.filters input[name=q]").fill(title.split(/\W+/).filter((w) => w.length > 4).pop() || "Error");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/[?&]q=/);
    await page.locator("tbody a.title").first().waitFor(); // the search finds it again
  },
  keyboard: async (page) => {
    // The search completes keys and values.
    const box = page.locator("form.filters input[name=q]");
    await box.focus();
    await box.pressSequentially("exten");
    await page.getByRole("option", { name: /^extension/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await box.inputValue(), "extension:");
    await box.pressSequentially("acme.");
    await page.getByRole("option", { name: /^acme\./ }).first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.match(await box.inputValue(), /^extension:acme\.[a-z]+ $/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=extension%3Aacme/);
    await page.locator("tbody a.title").first().waitFor();
    await page.goto("/crashes");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("1 selected").waitFor(); // x ticks the row
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/families\//);
  },
  plain: async (page) => {
    await page.getByRole("link", { name: "All", exact: true }).click();
    await page.getByLabel("System").selectOption("windows");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/os=windows/);
    await page.goto("/crashes?q=is%3Abroken");
    await page.getByText("This search was not understood").waitFor();
    await page.getByText("is: takes open, resolved").waitFor();
  },
});

spec("family", {
  path: (page) => hrefOf(page, "/crashes", "tbody a.title"),
  landmark: ["Representative", "Why these crashes are together", "Who is blamed, and why", "Recent crashes"],
  plain: async () => {
    // A state is changed and taken back, without a script.
    const page = await open("operator", { js: false });
    await page.goto(await hrefOf(page, "/crashes", "tbody tr:last-child a.title"));
    await page.getByLabel("Change to").selectOption("ignored");
    await page.locator("#note").fill("From the browser test");
    await page.getByRole("button", { name: "Change the state" }).click();
    await page.getByText("The state was changed.").waitFor();
    await page.getByText("From the browser test").waitFor();
    await page.getByRole("button", { name: "Take the last change back" }).click();
    await page.getByText("The last change was taken back.").waitFor();
    await page.done();
  },
});

spec("crash", {
  path: async (page) => hrefOf(page, await hrefOf(page, "/crashes", "tbody a.title"), "td a[href^='/crashes/']"),
  landmark: ["What happened", "Why it is in this family", "Lineage", "Taken out"],
  happy: async (page) => {
    await page.getByText("The document as it is kept").click();
    assert.match(await page.locator("pre.json").innerText(), /"signature"/);
  },
});

spec("search", {
  path: "/search?q=error", heading: "Search", landmark: ["Families"],
  plain: async (page) => {
    await page.goto("/search?q=zzzz-nothing-of-that-kind");
    await page.getByText("Nothing fits").waitFor();
  },
});

spec("crash list", {
  path: "/crashes/list?q=os%3Alinux", heading: "Crashes, newest first", landmark: ["What one can search by"],
  plain: async (page) => {
    await page.getByText("What one can search by").click();
    await page.getByRole("cell", { name: "release:", exact: true }).waitFor();
    await page.goto("/crashes/list?q=crashes%3A>5");
    await page.getByText("is about families").waitFor();
  },
});
