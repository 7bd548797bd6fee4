// The page's only script. Every page works without it; it adds: "/" for the search,
// j and k to walk a list, copy buttons, times in the viewer's zone, tips on charts,
// select-all, and blocks that refresh themselves. No dependency, no global, no eval.
(() => {
  "use strict";
  const d = document;
  const all = (sel, root = d) => Array.from(root.querySelectorAll(sel));
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

  // Times: the server writes UTC; here they become the viewer's, UTC stays in the title.
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const rel = (ms) => {
    const s = Math.round((Date.now() - ms) / 1000), a = Math.abs(s);
    const f = (n, u) => (s < 0 ? "in " + n + " " + u : n + " " + u + " ago");
    if (a < 5) return s < 0 ? "in a moment" : "just now";
    if (a < 60) return f(a, "s");
    if (a < 3600) return f(Math.floor(a / 60), "min");
    if (a < 86400) return f(Math.floor(a / 3600), "h");
    return f(Math.floor(a / 86400), "d");
  };
  const times = (root = d) => all("time[datetime]", root).forEach((t) => {
    const ms = Date.parse(t.dateTime);
    if (Number.isNaN(ms)) return;
    const utc = new Date(ms).toISOString().replace("T", " ").slice(0, 19) + " UTC";
    if (t.dataset.t === "rel") {
      t.textContent = rel(ms);
      t.title = full.format(ms) + "\n" + utc;
    } else if (t.dataset.t === "abs") {
      t.textContent = full.format(ms);
      t.title = utc;
    }
  });

  // Keys: "/" finds, j and k walk the rows of the first list, "?" is left alone.
  d.addEventListener("keydown", (e) => {
    if (e.key === "Escape") all(".phone[open], .confirm[open]").forEach((x) => { x.open = false; if (x.contains(d.activeElement)) x.querySelector("summary").focus(); });
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target)) {
      if (e.key === "Escape" && typing(e.target)) e.target.blur();
      return;
    }
    if (e.key === "/") {
      const box = all("input[type=search][data-find]").find((x) => x.offsetParent);
      if (box) { e.preventDefault(); box.focus(); box.select(); }
    } else if (e.key === "j" || e.key === "k") {
      const rows = all("[data-row]").filter((x) => x.offsetParent);
      if (!rows.length) return;
      const at = rows.indexOf(d.activeElement && d.activeElement.closest("[data-row]") || (d.activeElement && d.activeElement.closest("tr,li") || d).querySelector("[data-row]"));
      const here = rows.includes(d.activeElement) ? rows.indexOf(d.activeElement) : at >= 0 && d.activeElement !== d.body ? at : -1;
      const next = rows[Math.max(0, Math.min(rows.length - 1, here + (e.key === "j" ? 1 : here < 0 ? 1 : -1)))];
      next.focus(); next.scrollIntoView({ block: "nearest" });
    } else if (e.key === "x") {
      const box = d.activeElement && d.activeElement.closest("tr") && d.activeElement.closest("tr").querySelector("input[type=checkbox]");
      if (box) box.click();
    }
  });

  // Copy buttons are made here: without a script they would do nothing.
  const copies = (root = d) => all("[data-copy]", root).forEach((box) => {
    if (box.querySelector(".copy")) return;
    const b = d.createElement("button");
    b.type = "button"; b.className = "btn small copy"; b.textContent = "Copy";
    const what = box.dataset.copy;
    b.setAttribute("aria-label", "Copy" + (what ? " " + what : ""));
    b.addEventListener("click", async () => {
      const text = (box.querySelector("code, pre") || box).textContent.trim();
      try { await navigator.clipboard.writeText(text); b.textContent = "Copied"; } catch { b.textContent = "Press Ctrl+C"; getSelection().selectAllChildren(box.querySelector("code, pre") || box); }
      setTimeout(() => { b.textContent = "Copy"; }, 1600);
    });
    box.append(b);
  });

  // A mistake "name: what" of the list above a form stands at its field, too, with the field's own name.
  all(".note.bad[role=alert] p").forEach((p) => {
    const said = /^([a-z_]+): (.+)$/.exec(p.textContent), field = said && all("form [name='" + said[1] + "']", p.closest(".panel") || d).find((f) => f.offsetParent);
    if (!field || !field.id) return;
    const label = d.querySelector("label[for='" + field.id + "']"), note = d.createElement("span");
    note.className = "error"; note.id = field.id + "-error"; note.textContent = said[2];
    field.after(note);
    field.setAttribute("aria-invalid", "true"); field.setAttribute("aria-describedby", note.id);
    if (label) p.textContent = label.textContent.trim() + ": " + said[2];
    if (d.activeElement === d.body) field.focus();
  });

  // Filters leave what is not set out of the address.
  d.addEventListener("formdata", (e) => { if (e.target.matches(".filters")) for (const [k, v] of Array.from(e.formData)) if (v === "") e.formData.delete(k); });

  // Forms: a select that submits, a box that ticks all, a question before harm.
  d.addEventListener("change", (e) => {
    const t = e.target;
    if (t.matches("[data-submit]")) t.form.requestSubmit();
    if (t.matches("[data-all]")) all("input[name='" + t.dataset.all + "']", t.form || d).forEach((x) => { x.checked = t.checked; });
    const note = d.querySelector("[data-picked]");
    if (note && (t.matches("[data-all]") || t.name === "id")) {
      const n = all("input[name=id]:checked").length;
      note.textContent = n ? n + " selected" : note.dataset.picked;
    }
  });

  // Tips: whatever a chart's hit area or title says, without the browser's delay.
  let tip;
  const hide = () => { if (tip) tip.hidden = true; };
  d.addEventListener("pointermove", (e) => {
    const h = e.target.closest && e.target.closest("[data-tip]");
    if (!h) return hide();
    if (!tip) { tip = d.createElement("div"); tip.className = "tip"; tip.setAttribute("aria-hidden", "true"); d.body.append(tip); }
    tip.hidden = false;
    tip.textContent = h.dataset.tip;
    const w = tip.offsetWidth, x = e.clientX + 14;
    tip.style.left = Math.max(4, x + w > innerWidth - 8 ? e.clientX - w - 14 : x) + "px";
    tip.style.top = Math.min(innerHeight - tip.offsetHeight - 8, e.clientY + 14) + "px";
  });
  d.addEventListener("pointerleave", hide, true);
  d.addEventListener("scroll", hide, true);

  // Blocks that refresh: <div data-refresh="3" data-from="/path#id">. Stops when the answer says so.
  const live = (box) => setTimeout(async () => {
    if (d.hidden) return live(box);
    try {
      const r = await fetch(box.dataset.from || location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
      const doc = new DOMParser().parseFromString(await r.text(), "text/html");
      const fresh = r.ok && doc.getElementById(box.id);
      if (fresh) {
        if (fresh.innerHTML !== box.innerHTML && !box.contains(d.activeElement)) { box.replaceChildren(...fresh.childNodes); copies(box); times(box); }
        if (!fresh.dataset.refresh) return;
      }
    } catch { /* offline: try again */ }
    live(box);
  }, 1000 * (+box.dataset.refresh || 5));

  // Completion: a list under a search field says how a term may go on.
  all("input[data-complete]").forEach((box, n) => {
    const list = d.createElement("ul"), bytes = new TextEncoder(), chars = new TextDecoder();
    let items = [], at = -1, span = [0, 0], asked = 0, wait;
    list.id = "complete-" + n; list.className = "options"; list.hidden = true;
    list.setAttribute("role", "listbox"); list.setAttribute("aria-label", "How to go on");
    box.setAttribute("role", "combobox"); box.setAttribute("aria-autocomplete", "list"); box.setAttribute("aria-controls", list.id); box.setAttribute("aria-expanded", "false");
    box.closest(".complete").append(list);
    const show = (on) => { list.hidden = !on; box.setAttribute("aria-expanded", String(on)); if (!on) mark(-1); };
    const mark = (i) => {
      at = i;
      Array.from(list.children).forEach((o, j) => { o.setAttribute("aria-selected", String(j === i)); if (j === i) o.scrollIntoView({ block: "nearest" }); });
      if (i < 0) box.removeAttribute("aria-activedescendant"); else box.setAttribute("aria-activedescendant", list.id + "-" + i);
    };
    const take = (i) => {
      const b = bytes.encode(box.value), text = items[i].text, open = text.endsWith(":");
      const head = chars.decode(b.slice(0, span[0])) + text + (open ? "" : " "), tail = chars.decode(b.slice(span[1]));
      box.value = head + (open ? tail : tail.trimStart());
      box.setSelectionRange(head.length, head.length);
      if (open) ask(); else show(false);
    };
    const ask = async () => {
      const mine = ++asked, typed = box.value.slice(0, box.selectionStart);
      try {
        const r = await fetch(box.dataset.complete + "?q=" + encodeURIComponent(box.value) + "&at=" + bytes.encode(typed).length, { credentials: "same-origin" });
        if (!r.ok || mine !== asked) return;
        const a = await r.json();
        items = a.items; span = [a.from, a.to];
        list.replaceChildren(...items.map((s, i) => {
          const o = d.createElement("li"), code = d.createElement("code");
          o.id = list.id + "-" + i; o.setAttribute("role", "option");
          code.textContent = s.label; o.append(code);
          if (s.doc) { const t = d.createElement("span"); t.textContent = s.doc; o.append(t); }
          o.addEventListener("pointerdown", (e) => { e.preventDefault(); take(i); });
          return o;
        }));
        mark(-1);
        show(items.length > 0 && d.activeElement === box);
      } catch { show(false); }
    };
    box.addEventListener("input", () => { asked++; show(false); clearTimeout(wait); wait = setTimeout(ask, 120); }); // what was offered was for another text
    box.addEventListener("blur", () => show(false));
    box.addEventListener("keydown", (e) => {
      if (list.hidden) { if (e.key === "ArrowDown") { e.preventDefault(); ask(); } return; }
      const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (step) { e.preventDefault(); mark((at + step + items.length + (at < 0 && step < 0 ? 1 : 0)) % items.length); }
      else if ((e.key === "Enter" || e.key === "Tab") && at >= 0) { e.preventDefault(); take(at); }
      else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); show(false); }
    });
  });

  // Messages to this browser: where it can, and only after a click.
  all("[data-push]").forEach((box) => {
    const button = box.querySelector("button"), says = box.querySelector("[role=status]");
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
    box.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      says.textContent = "";
      try {
        if (await Notification.requestPermission() !== "granted") throw new Error("This browser does not let us: allow notifications for this site first.");
        await navigator.serviceWorker.register("/receipts/worker.js", { scope: "/receipts/" });
        const push = (await navigator.serviceWorker.ready).pushManager;
        const k = (await push.getSubscription() || await push.subscribe({ userVisibleOnly: true, applicationServerKey: box.dataset.push })).toJSON();
        const r = await fetch(box.dataset.to, { method: "POST", headers: { "Content-Type": "application/json" }, credentials: "same-origin", body: JSON.stringify({ push: { endpoint: k.endpoint, p256dh: k.keys.p256dh, auth: k.keys.auth } }) });
        if (!r.ok) throw new Error((await r.json()).detail || "That did not work.");
        button.hidden = true;
        says.textContent = "This browser is told when something changes.";
      } catch (e) { says.textContent = e.message || "That did not work."; button.disabled = false; }
    });
  });

  // Tabs that do not fit scroll to the one that is open.
  all(".tabs [aria-current]").forEach((a) => { const nav = a.parentElement; nav.scrollLeft = a.offsetLeft - nav.offsetLeft - (nav.clientWidth - a.offsetWidth) / 2; });

  times(); copies();
  all("[data-refresh]").forEach(live);
  setInterval(() => times(), 30000);
})();
