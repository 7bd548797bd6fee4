// The server says with its first answer that errors are not wanted; the second
// must stay here.
import * as Sentry from "@sentry/node";

const client = Sentry.init({ dsn: process.env.DSN, release: "acme-node@1.4.2", integrations: (list) => list.filter((i) => i.name !== "ProcessSession"), sendClientReports: false });
Sentry.captureException(new Error("first"));
await client.flush(10_000);
Sentry.captureException(new Error("second"));
await Sentry.close(10_000);
