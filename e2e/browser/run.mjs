// Starts a demo (BELLWETHER_BIN, default: bellwether in the root of the project) on
// a port of its own, runs every spec against it, and ends what it started.
//   node e2e/browser/run.mjs [spec files]
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-demo-"));
const bin = process.env.BELLWETHER_BIN || path.join(here, "..", "..", "bellwether");
let server, env = { ...process.env };
if (!env.BELLWETHER_DEMO) {
  server = spawn(bin, ["demo", "--keep", dir, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  server.stdout.on("data", (b) => { said += b; });
  server.stderr.on("data", (b) => { said += b; });
  env.BELLWETHER_DEMO = path.join(dir, "demo.json");
  const ready = () => { try { return JSON.parse(fs.readFileSync(env.BELLWETHER_DEMO, "utf8")).ready === true; } catch { return false; } };
  for (let i = 0; !ready(); i++) {
    if (server.exitCode !== null || i > 1500) { console.error("the demo did not start:\n" + said); process.exit(1); }
    await new Promise((r) => setTimeout(r, 200));
  }
}
const specs = process.argv.slice(2).length ? process.argv.slice(2) : fs.readdirSync(here).filter((f) => f.endsWith(".spec.mjs")).map((f) => path.join(here, f));
const run = spawn(process.execPath, ["--test", "--test-concurrency=1", ...specs], { stdio: "inherit", env });
run.on("exit", (code) => {
  if (server) { server.on("exit", () => { fs.rmSync(dir, { recursive: true, force: true }); process.exit(code ?? 1); }); server.kill("SIGTERM"); } else process.exit(code ?? 1);
});
