// Keeps a page fresh: when the server says that something changed, asks for
// the page again and puts its live parts in place of the old ones.
(() => {
  "use strict";
  const parts = () => [...document.querySelectorAll("[data-live]")];
  if (!parts().length || !window.EventSource) return;
  const link = document.querySelector("[data-link]")?.dataset.link;
  const slow = 30000; // ages grow old even when nothing happens
  let timer = 0;
  let last = Date.now();
  let busy = false;

  async function refresh() {
    timer = 0;
    if (document.hidden || busy) return;
    busy = true;
    try {
      const res = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!res.ok) return;
      const page = new DOMParser().parseFromString(await res.text(), "text/html");
      for (const old of parts()) {
        const fresh = page.getElementById(old.id);
        if (!fresh || fresh.innerHTML === old.innerHTML) continue;
        const inside = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        old.replaceWith(document.adoptNode(fresh));
        if (inside) fresh.querySelector(`a[href="${CSS.escape(inside)}"]`)?.focus({ preventScroll: true });
      }
      last = Date.now();
    } catch {
      // the connection is lost: the next event, or the timer, tries again
    } finally {
      busy = false;
    }
  }

  function soon(ms) {
    if (timer) return;
    timer = setTimeout(refresh, Math.max(ms, last + 5000 - Date.now()));
  }

  const source = new EventSource("/rete/eventi" + (link ? "?link=" + encodeURIComponent(link) : ""));
  source.addEventListener("state", (e) => {
    document.dispatchEvent(new CustomEvent("link-state", { detail: JSON.parse(e.data) }));
    soon(500);
  });
  source.addEventListener("reading", () => soon(500));
  source.addEventListener("alert", () => soon(500));
  addEventListener("pagehide", () => source.close());
  setInterval(() => soon(0), slow);
  document.addEventListener("visibilitychange", () => document.hidden || soon(0));
})();
