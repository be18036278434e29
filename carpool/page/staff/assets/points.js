// Draws the meeting points on a map that can be moved; with a form beside it, a
// click sets the position. Without this script the form is typed.
(() => {
  "use strict";
  const box = document.getElementById("map");
  if (!box || !window.L) return;
  const said = box.dataset;
  const place = document.createElement("div");
  place.className = "map-live";
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", said.label);
  box.classList.add("live");
  box.replaceChildren(place);
  box.hidden = false;
  document.getElementById("map-hint")?.removeAttribute("hidden");

  const map = L.map(place, { zoomControl: false, attributionControl: false, minZoom: 8, maxZoom: 17, zoomSnap: 0.5 });
  L.control.zoom({ zoomInTitle: said.zoomIn, zoomOutTitle: said.zoomOut }).addTo(map);
  if (said.tiles) {
    const relief = L.tileLayer(said.tiles, { maxNativeZoom: Number(said.native), maxZoom: 17 });
    relief.on("tileloadstart", (e) => { e.tile.style.width = e.tile.style.height = relief.getTileSize().x + 1 + "px"; });
    relief.addTo(map);
  }
  const middle = [Number(said.lat), Number(said.lon)];
  const points = [...document.querySelectorAll("[data-point]")].map((e) => ({
    at: [Number(e.dataset.lat), Number(e.dataset.lon)], name: e.dataset.point, closed: e.dataset.closed === "true",
  }));
  if (points.length > 1) map.fitBounds(points.map((p) => p.at), { padding: [25, 25], maxZoom: 15 });
  else map.setView(points.length ? points[0].at : middle, points.length ? 15 : 12);
  for (const p of points) {
    L.circleMarker(p.at, { radius: 6, className: p.closed ? "seat-dot" : "site-dot" }).bindTooltip(p.name).addTo(map);
  }

  const lat = document.getElementById("lat"), lon = document.getElementById("lon");
  if (said.pick !== "true" || !lat || !lon) return;
  let mark = null;
  const typed = () => [lat, lon].map((e) => Number(e.value.replace(",", ".")));
  const show = () => {
    const at = typed();
    if (!lat.value || !lon.value || !at.every(Number.isFinite)) return;
    mark = mark ? mark.setLatLng(at) : L.circleMarker(at, { radius: 8, className: "link-line link-down" }).addTo(map);
  };
  show();
  if (mark) map.setView(mark.getLatLng(), 15);
  map.on("click", (e) => {
    lat.value = e.latlng.lat.toFixed(6);
    lon.value = e.latlng.lng.toFixed(6);
    show();
  });
  for (const e of [lat, lon]) e.addEventListener("change", () => { show(); if (mark) map.panTo(mark.getLatLng()); });
})();
