() => {
  const found = [];
  const name = (e) => {
    const text = (e.textContent || "").trim().replace(/\s+/g, " ").slice(0, 30);
    return "<" + e.tagName.toLowerCase() + (e.getAttribute("class") ? " class=" + e.getAttribute("class") : "") + ">" + text;
  };
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) {
    let widest = null, right = root.clientWidth + 1;
    for (const e of document.body.querySelectorAll("*")) {
      if (e.closest(".leaflet-container, .scroll-x")) continue;
      const r = e.getBoundingClientRect();
      if (r.width > 0 && r.right > right) { right = r.right; widest = e; }
    }
    found.push("the page is " + root.scrollWidth + " px wide in a window of " + root.clientWidth + (widest ? ": " + name(widest) : ""));
  }
  if (!document.querySelector("main") || document.querySelector("main").innerText.trim() === "") found.push("nothing in <main>");
  if (!root.lang) found.push("no lang on <html>");

  // Every run of text that can be seen, by the element that holds it.
  const runs = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || !e || e.closest("script, style, noscript, title, desc, option, .leaflet-container")) continue;
    if (!e.checkVisibility()) continue; // closed <details> have boxes, and nothing in them is seen
    const style = getComputedStyle(e);
    if (style.visibility !== "visible" || style.opacity === "0" || style.clipPath !== "none") continue;
    let hidden = false;
    for (let p = e; p && p !== document.body; p = p.parentElement) {
      const c = getComputedStyle(p);
      if (c.clipPath !== "none" || c.display === "none" || (c.position === "absolute" && p.offsetWidth <= 1)) { hidden = true; break; }
    }
    if (hidden) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const rects = e.ownerSVGElement ? [e.getBoundingClientRect()] : [...range.getClientRects()];
    for (const r of rects) {
      if (r.width < 2 || r.height < 2) continue;
      // What a scrolling box hides is not seen.
      let left = r.left, right = r.right, top = r.top, bottom = r.bottom;
      for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
        const c = getComputedStyle(p);
        if (c.overflowX === "visible" && c.overflowY === "visible") continue;
        const b = p.getBoundingClientRect();
        if (!e.closest(".scroll-x") && p.tagName !== "DETAILS" && (r.right > b.right + 2 || r.left < b.left - 2)) found.push("cut by its box: " + name(e));
        left = Math.max(left, b.left); right = Math.min(right, b.right);
        top = Math.max(top, b.top); bottom = Math.min(bottom, b.bottom);
      }
      if (right - left < 2 || bottom - top < 2) continue;
      // The line box is higher than the letters: compare their middle part.
      const slack = (bottom - top) * 0.2;
      runs.push({ e, left, right, top: top + slack, bottom: bottom - slack });
    }
  }
  // Fields of forms are boxes too: no label may stand on one.
  for (const e of document.querySelectorAll("input, select, textarea, button")) {
    const r = e.getBoundingClientRect();
    if (r.width < 2 || r.height < 2 || !e.checkVisibility() || e.closest(".visually-hidden") || getComputedStyle(e).visibility !== "visible") continue;
    runs.push({ e, left: r.left, right: r.right, top: r.top, bottom: r.bottom });
  }
  runs.sort((a, b) => a.top - b.top);
  for (let i = 0; i < runs.length && found.length < 20; i++) {
    for (let j = i + 1; j < runs.length && runs[j].top < runs[i].bottom; j++) {
      const a = runs[i], b = runs[j];
      if (a.e === b.e || a.e.contains(b.e) || b.e.contains(a.e)) continue;
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 2 && h > 2) found.push("text over text: " + name(a.e) + " and " + name(b.e));
    }
  }
  return found;
}
