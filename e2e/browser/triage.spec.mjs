import assert from "node:assert/strict";
import { test } from "node:test";
import { hrefOf, open, ready, spec } from "./stage.mjs";

spec("routing", {
  path: "/settings/routing", heading: "Settings", landmark: ["What a condition can ask", "Versions"],
  plain: async () => {
    // A mistake has its place; a change is shown before it is saved. Without a script.
    const page = await open("operator", { js: false });
    await page.goto("/settings/routing");
    const rules = page.getByLabel("Rules (YAML)"), text = await rules.inputValue();
    await rules.fill("rules:\n  - name: x\n    when: famly.type == \"A\"\n    then: {team: editor}\n");
    await page.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByText("3:11").waitFor();
    await page.getByLabel("Rules (YAML)").fill(text + "\n  - name: browser test\n    when: true\n    then: {team: editor}\n");
    await page.getByRole("button", { name: "Show what it would change" }).click();
    await page.getByText("What it would change").first().waitFor();
    await page.done();
  },
});

test("a family by thumb", { skip: !ready }, async () => {
  // On a phone who looks at it and the state come before the evidence, and the evidence is one touch away.
  const page = await open("operator", { js: false, width: 390 });
  await page.goto(await hrefOf(page, "/crashes", "tbody a.title"));
  const top = async (id) => (await page.locator(id).boundingBox()).y;
  assert.ok(await top("#triage") < await top("#state") && await top("#state") < await top("#evidence"), "order");
  assert.ok(await top("#state") < 844, "the state is on the first screen");
  await page.getByRole("link", { name: "To the evidence" }).click();
  assert.ok(await page.evaluate(() => document.querySelector("#evidence").getBoundingClientRect().top) < 120, "a touch leads to the evidence");
  await page.done();
  const wide = await open("operator", { js: false });
  await wide.goto(await hrefOf(wide, "/crashes", "tbody a.title"));
  const y = async (id) => (await wide.locator(id).boundingBox()).y;
  assert.ok(Math.abs(await y("#triage") - await y("#evidence")) < 4, "beside one another on a desk");
  await wide.done();
});

spec("activity", {
  path: (page) => hrefOf(page, "/crashes", "tbody a.title"), landmark: ["Who looks at it", "Labels", "Watchers", "Activity"],
  plain: async () => {
    const page = await open("operator", { js: false });
    await page.goto(await hrefOf(page, "/crashes", "tbody tr:last-child a.title"));
    await page.getByRole("textbox", { name: "Comment" }).first().fill("From the **browser** test");
    await page.getByRole("button", { name: "Comment", exact: true }).click();
    await page.getByText("Your comment is there.").waitFor();
    assert.equal(await page.locator(".prose strong").first().innerText(), "browser");
    await page.getByLabel("A new label").fill("browser test");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("button", { name: "Take it back" }).first().click();
    await page.getByText("It was taken back.").waitFor();
    await page.done();
  },
});
