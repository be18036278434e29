// Small helps on top of pages that work without it.
"use strict";
(() => {
  // Fields that only matter with one of several answers are shown with it.
  const shown = (name, value, ids) => {
    const radios = document.querySelectorAll(`input[type=radio][name="${name}"]`);
    const set = () => {
      const on = document.querySelector(`input[name="${name}"]:checked`)?.value === value;
      for (const id of ids) {
        const box = document.getElementById(id)?.closest(".field, fieldset");
        if (box) box.hidden = !on;
      }
    };
    for (const r of radios) r.addEventListener("change", set);
    if (radios.length) set();
  };
  shown("ritorno", "ora", ["ritorno-giorno", "ritorno-ora"]);
  shown("volte", "una", ["giorno"]);
  shown("volte", "settimana", ["giorni"]);

  // A form is sent once.
  for (const form of document.querySelectorAll("form[method=post]")) {
    form.addEventListener("submit", (e) => {
      if (form.dataset.sent) e.preventDefault();
      form.dataset.sent = "1";
      setTimeout(() => { delete form.dataset.sent; }, 5000);
    });
  }
  document.querySelector(".is-wrong input, .is-wrong select, .is-wrong textarea")?.focus();

  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register("/passaggi/sw.js", { scope: "/passaggi" }).then(() => navigator.serviceWorker.ready)
    .then((r) => { if (location.pathname === "/passaggi/miei") r.active.postMessage("copy"); })
    .catch(() => {}); // a browser that refuses goes on without
  document.querySelector('form[action="/esci"]')?.addEventListener("submit", () => { caches.delete("passaggi-miei"); });
})();
