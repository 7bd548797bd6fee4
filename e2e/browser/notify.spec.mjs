import assert from "node:assert/strict";
import { spec } from "./stage.mjs";

spec("notifications", {
  path: "/settings/notifications", heading: "Settings", landmark: ["By mail, to you", "Channels"],
  plain: async (page) => {
    await page.getByLabel("Spikes").selectOption("daily");
    await page.getByLabel("Your time zone").fill("Europe/Lisbon");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    assert.equal(await page.getByLabel("Spikes").inputValue(), "daily");
    await page.getByLabel("Your time zone").fill("Mars/Olympus");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("There is no such time zone").waitFor();
  },
});
spec("new channel", {
  path: "/settings/channels/new", heading: "New channel", landmark: ["Where, and what"],
  plain: async (page) => {
    await page.getByLabel("Name").fill("browser test");
    await page.getByLabel("Address").fill("https://10.0.0.1/hook");
    await page.getByRole("button", { name: "Make the channel" }).click();
    await page.getByText("private or reserved network").waitFor();
  },
});
spec("deliveries", { path: "/settings/deliveries", heading: "Settings", landmark: ["kept for 30 days"] });
