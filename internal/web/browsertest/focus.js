() => {
  const found = [];
  const name = (e) => "<" + e.tagName.toLowerCase() + ">" + (e.textContent || "").trim().slice(0, 30);
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
  for (const e of all) {
    if (e.tabIndex > 0) found.push("tabindex above 0: " + name(e));
    if (e.tabIndex < 0 || e.disabled) continue;
    const box = e.getBoundingClientRect();
    if (box.width === 0 || getComputedStyle(e).visibility !== "visible") continue;
    e.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== e) continue;
    const s = getComputedStyle(e);
    const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2;
    if (!ring && s.boxShadow === "none") found.push("focus is not seen: " + name(e));
    e.blur();
  }
  window.scrollTo(0, 0);
  return found.slice(0, 10);
}
