// Shows a message about a report in a browser whose user asked for it, and leads to
// the report's page. It sees no request and keeps nothing.
self.addEventListener("push", (e) => {
  let m = {};
  try { m = e.data.json(); } catch { /* not one of ours: say that there is news */ }
  e.waitUntil(self.registration.showNotification(m.title || "News of your report", { body: m.body || "", tag: m.id, icon: "/favicon.ico", data: m.url || "/receipts/" }));
});
self.addEventListener("notificationclick", (e) => {
  e.notification.close();
  const to = new URL(e.notification.data, self.location);
  if (to.origin === self.location.origin) e.waitUntil(self.clients.openWindow(to.href));
});
