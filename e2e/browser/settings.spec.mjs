import assert from "node:assert/strict";
import { test } from "node:test";
import { open, ready, spec } from "./stage.mjs";

spec("profile", { path: "/settings/profile", heading: "Settings", landmark: ["Sessions", "this one"] });
spec("API tokens", {
  path: "/settings/tokens", heading: "Settings", landmark: ["New token"],
  plain: async (page) => {
    await page.getByLabel("What for").fill("browser test");
    await page.getByRole("button", { name: "Create the token" }).click();
    const secret = await page.locator(".secret code").innerText();
    assert.match(secret, /^bw_/);
    await page.goto("/settings/tokens");
    assert.ok(!(await page.content()).includes(secret), "a secret is shown once");
    await page.getByRole("button", { name: "Revoke browser test" }).first().click();
    await page.getByText("Revoked. It is refused from now on.").waitFor();
  },
});
spec("members", {
  path: "/settings/members", heading: "Settings", landmark: ["Open invitations", "Invite"],
  plain: async (page) => {
    await page.getByLabel("E-mail").fill("guest@example.org");
    await page.getByRole("checkbox", { name: /triager/ }).check();
    await page.getByRole("button", { name: "Make the invitation" }).click();
    const link = await page.locator(".secret code").innerText();
    await page.goto("/settings/members");
    await page.getByRole("button", { name: "Withdraw the invitation for guest@example.org" }).first().click();
    await page.getByText("The invitation was withdrawn.").waitFor();
    assert.match(link, /\/invitation\?token=/);
  },
});
spec("register", { path: "/settings/register", heading: "Settings", landmark: ["Publishers", "Hosts", "Teams"] });
spec("who may do what", { path: "/settings/permissions", heading: "Settings", landmark: ["Policies", "family.read"] });
spec("audit log", {
  path: "/settings/audit", heading: "Settings", landmark: ["Root of the tree"],
  plain: async (page) => {
    await page.getByRole("button", { name: "Verify the whole log" }).click();
    await page.getByText("Verified just now.").waitFor();
  },
});

test("on a phone the tab that is open is in sight", { skip: !ready }, async () => {
  const page = await open("operator", { width: 390 });
  await page.goto("/settings/audit");
  const box = await page.getByRole("link", { name: "Audit log" }).boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
  await page.done();
});
