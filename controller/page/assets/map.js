// Puts a map that can be moved in place of the drawn one.
(() => {
  "use strict";
  const box = document.getElementById("map");
  if (!box || !window.L) return;
  const said = box.dataset;

  const html = (tag, text, attributes) => {
    const e = document.createElement(tag);
    e.textContent = text;
    for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
    return e;
  };

  async function load(path, key) {
    const all = [];
    for (let after = ""; after !== null; ) {
      const res = await fetch(path + "?limit=1000" + (after && "&after=" + encodeURIComponent(after)));
      if (!res.ok) throw new Error(path + ": " + res.status);
      const page = await res.json();
      all.push(...page[key]);
      after = page.next;
    }
    return all;
  }

  async function draw() {
    const [sites, links] = await Promise.all([load("/api/v1/sites", "sites"), load("/api/v1/links", "links")]);
    const points = sites.map((s) => [s.lat, s.lon]);
    for (const l of links) for (const e of [l.a, l.b]) if (e.lat !== null) points.push([e.lat, e.lon]);
    if (!points.length) return;
    const place = html("div", "", { class: "map-live", role: "region", "aria-label": said.label });
    box.classList.add("live");
    box.replaceChildren(place);
    const map = L.map(place, { zoomControl: false, attributionControl: false, minZoom: 8, maxZoom: 14, zoomSnap: 0.5 });
    L.control.zoom({ zoomInTitle: said.zoomIn, zoomOutTitle: said.zoomOut }).addTo(map);
    if (said.tiles) {
      const relief = L.tileLayer(said.tiles, { maxNativeZoom: Number(said.native), maxZoom: 14 });
      // Enlarged tiles leave hairlines between them unless they overlap a little.
      relief.on("tileloadstart", (e) => { e.tile.style.width = e.tile.style.height = relief.getTileSize().x + 1 + "px"; });
      relief.addTo(map);
    }

    map.fitBounds(points, { padding: [20, 20] }); // lines are drawn only once the map has a place
    const lines = new Map();
    for (const l of links) {
      if (l.a.lat === null || l.b.lat === null) continue;
      const ends = [[l.a.lat, l.a.lon], [l.b.lat, l.b.lon]];
      L.polyline(ends, { className: "link-case", interactive: false }).addTo(map);
      const line = L.polyline(ends, { className: "link-line", bubblingMouseEvents: false }).addTo(map);
      const popup = document.createElement("div");
      const state = html("p", "");
      popup.append(html("strong", l.name), state, html("a", said.open, { href: "/rete/collegamenti/" + encodeURIComponent(l.id) }));
      line.bindPopup(popup);
      line.bindTooltip(l.name, { sticky: true });
      const show = (status) => {
        line.getElement().setAttribute("class", "leaflet-interactive link-line link-" + status);
        state.textContent = said[status] || status;
      };
      show(l.status);
      lines.set(l.id, show);
    }
    const named = new Set(sites.map((s) => s.lat + "," + s.lon));
    for (const l of links) {
      for (const e of [l.a, l.b]) {
        const key = e.lat + "," + e.lon;
        if (e.lat === null || named.has(key)) continue;
        named.add(key);
        L.circleMarker([e.lat, e.lon], { radius: 4, className: "seat-dot" }).bindTooltip(e.place).addTo(map);
      }
    }
    for (const s of sites) {
      L.circleMarker([s.lat, s.lon], { radius: 6, className: "site-dot", interactive: true }).bindTooltip(s.name).addTo(map);
    }
    document.addEventListener("link-state", (e) => lines.get(e.detail.link)?.(e.detail.status));
  }

  const drawn = box.querySelector("noscript")?.textContent;
  draw().catch((e) => {
    console.error("map:", e);
    box.classList.remove("live");
    if (drawn) box.replaceChildren(...new DOMParser().parseFromString(drawn, "text/html").body.childNodes);
  });
})();
