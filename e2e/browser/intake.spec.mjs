import { spec } from "./stage.mjs";

spec("intake", {
  path: "/intake", heading: "Intake", landmark: ["Accepted, 24 h", "Dropped, by reason", "Disk, by retention class", "Jobs"],
  plain: async (page) => {
    await page.getByRole("link", { name: "All of them" }).click();
    await page.getByRole("heading", { level: 1, name: "Dead letters" }).waitFor();
  },
});
spec("dead letters", { path: "/intake/letters", heading: "Dead letters" });
