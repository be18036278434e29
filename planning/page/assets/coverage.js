// Puts a map that can be moved in place of the drawn one.
(() => {
  "use strict";
  const box = document.getElementById("coverage-map");
  if (!box || !window.L) return;
  const said = box.dataset;

  async function draw() {
    const res = await fetch("/copertura/comuni.json");
    if (!res.ok) throw new Error("comuni: " + res.status);
    const comuni = await res.json();
    const place = document.createElement("div");
    place.className = "map-live";
    place.setAttribute("role", "region");
    place.setAttribute("aria-label", said.label);
    const outlines = L.geoJSON(comuni, {
      style: () => ({ className: "outline", weight: 1, fillOpacity: 0 }),
      onEachFeature: (f, layer) => layer.bindTooltip(f.properties.name, { sticky: true }),
    });
    box.classList.add("live");
    box.replaceChildren(place);
    const map = L.map(place, { zoomControl: false, attributionControl: false, minZoom: 8, maxZoom: 14, zoomSnap: 0.5 });
    L.control.zoom({ zoomInTitle: said.zoomIn, zoomOutTitle: said.zoomOut }).addTo(map);
    map.fitBounds(outlines.getBounds(), { padding: [10, 10] });
    const relief = L.tileLayer(said.relief, { maxNativeZoom: Number(said.native), maxZoom: 14 });
    // Enlarged tiles leave hairlines between them unless they overlap a little.
    relief.on("tileloadstart", (e) => { e.tile.style.width = e.tile.style.height = relief.getTileSize().x + 1 + "px"; });
    relief.addTo(map);
    L.tileLayer(said.cover, { maxNativeZoom: 13, maxZoom: 14 }).addTo(map);
    outlines.addTo(map);
  }

  const drawn = box.querySelector("noscript")?.textContent;
  draw().catch((e) => {
    console.error("map:", e);
    box.classList.remove("live");
    if (drawn) box.replaceChildren(...new DOMParser().parseFromString(drawn, "text/html").body.childNodes);
  });
})();
