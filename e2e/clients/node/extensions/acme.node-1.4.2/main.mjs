// An extension that reports with @sentry/node: two failures with causes, one
// event large enough to be compressed, and a session.
import * as Sentry from "@sentry/node";

Sentry.init({ dsn: process.env.DSN, release: "acme-node@1.4.2", environment: "production", maxBreadcrumbs: 100, integrations: (list) => list.filter((i) => i.name !== "ProcessSession") });
Sentry.setUser({ id: "install-1", email: "person@example.test" });
Sentry.setTag("host", "editor");
Sentry.setTag("host.version", "1.102.3");

function parseManifest(text) {
  return JSON.parse(text);
}

function activate() {
  try {
    parseManifest("{");
  } catch (cause) {
    throw new Error("activation failed", { cause });
  }
}

for (const again of [1, 2]) {
  try {
    activate();
  } catch (e) {
    Sentry.captureException(e, { tags: { attempt: again } });
  }
}
for (let i = 0; i < 100; i++) Sentry.addBreadcrumb({ category: "work", message: "x".repeat(400) + i });
function save(document) {
  return document.text.length;
}
try {
  save(undefined);
} catch (e) {
  Sentry.captureException(e);
}
Sentry.startSession();
Sentry.endSession();
await Sentry.close(10_000);
