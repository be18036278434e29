// Keeps the page of a change fresh while it is under way: counts the time that
// is left, and asks for the page again every two seconds. When the server is
// not heard, which happens when the change cuts the way to it, the page says
// so and goes on counting.
(() => {
  "use strict";
  const every = 2000;
  const parts = () => [...document.querySelectorAll("[data-live]")];
  const underWay = () => document.querySelector("[data-under-way]");
  if (!underWay()) return;

  const lost = document.getElementById("lost");
  const said = document.getElementById("said");
  const state = (root) => [...root.querySelectorAll("[data-state]")].map((e) => e.textContent.trim()).join(", ");
  const lasting = (part) => part.innerHTML.replace(/data-left="\d+">[^<]*</g, "");
  const ends = new WeakMap(); // when a countdown is over, by the clock of this page

  function count() {
    for (const e of document.querySelectorAll("[data-left]")) {
      if (!ends.has(e)) ends.set(e, performance.now() + Number(e.dataset.left) * 1000);
      const s = Math.max(0, Math.ceil((ends.get(e) - performance.now()) / 1000));
      e.textContent = Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
    }
  }

  function swap(old, fresh) {
    if (lasting(old) === lasting(fresh)) {
      const now = [...old.querySelectorAll("[data-left]")];
      fresh.querySelectorAll("[data-left]").forEach((e, i) => ends.set(now[i], performance.now() + Number(e.dataset.left) * 1000));
      return;
    }
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    const open = [...old.querySelectorAll("details[open]")].map((d) => d.id);
    old.replaceWith(document.adoptNode(fresh));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (!focus) return;
    const again = focus.id ? document.getElementById(focus.id) : null;
    if (again) again.focus({ preventScroll: true });
    else document.getElementById("main")?.focus({ preventScroll: true });
  }

  async function refresh() {
    if (!document.hidden) {
      try {
        const res = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(10000) });
        if (!res.ok) throw new Error(String(res.status));
        const page = new DOMParser().parseFromString(await res.text(), "text/html");
        const before = state(document);
        for (const old of parts()) {
          const fresh = page.getElementById(old.id);
          if (fresh) swap(old, fresh);
        }
        if (lost) lost.hidden = true;
        if (said && state(document) !== before) said.textContent = state(document);
        count();
        if (!underWay()) {
          clearInterval(ticking);
          return;
        }
      } catch {
        if (lost) lost.hidden = false;
      }
    }
    setTimeout(refresh, every);
  }

  count();
  const ticking = setInterval(count, 250);
  setTimeout(refresh, every);
})();
