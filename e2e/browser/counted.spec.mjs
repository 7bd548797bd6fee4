// Crashes of which only the signature came.
import { hrefOf, spec } from "./stage.mjs";

const list = "/crashes/list?q=counted%3Ayes";

spec("counted crash", {
  path: (page) => hrefOf(page, list, "td a[href^='/crashes/']"),
  landmark: ["Counted only", "The reporter sent the signature, not the stack.", "Counted by signature; no stack came with it.", "Lineage"],
  happy: async (page) => {
    for (const gone of ["What happened", "Why it is in this family"]) if (await page.getByRole("heading", { name: gone }).count()) throw new Error("an empty panel: " + gone);
    await page.getByRole("link", { name: "its family", exact: true }).click();
    await page.getByText("the reporter sent the signature, not the stack").waitFor();
    await page.getByText("the family is resolved, and counts tell whether it comes back").waitFor();
    await page.getByRole("link", { name: "counted only" }).click();
    await page.locator("tbody .tag", { hasText: "count" }).first().waitFor();
  },
});

spec("counted crashes", { path: list, heading: "Crashes, newest first", landmark: ["count"] });
