// Keeps the shell of the portal and a copy of one's own next rides, so that
// both can be read without a network. The copy holds times and meeting points,
// and nothing of anybody else; it goes with the sign-out.
"use strict";
const SHELL = "passaggi-1", RIDES = "passaggi-miei";
const OFFLINE = "/passaggi/senza-rete", MINE = "/passaggi/miei", COPY = "/passaggi/miei/copia";

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(SHELL).then((c) => c.add(new Request(OFFLINE, { credentials: "omit" }))).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (e) => {
  e.waitUntil(caches.keys().then((names) => Promise.all(names.filter((n) => n.startsWith("passaggi-") && n !== SHELL && n !== RIDES).map((n) => caches.delete(n))))
    .then(() => self.clients.claim()));
});

// copy renews the copy of the rides; signed out or not allowed, it goes.
async function copy() {
  const rides = await caches.open(RIDES);
  try {
    const r = await fetch(COPY, { credentials: "same-origin", redirect: "manual" });
    if (r.status === 200) await rides.put(COPY, r);
    else await rides.delete(COPY);
  } catch {
    // no network: the copy stays
  }
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    if (new URL(request.url).pathname === MINE) {
      const kept = await (await caches.open(RIDES)).match(COPY);
      if (kept) return kept;
    }
    return (await (await caches.open(SHELL)).match(OFFLINE)) || Response.error();
  }
}

// Files with a fingerprint never change: the first answer is good for ever.
async function file(request) {
  const shell = await caches.open(SHELL), kept = await shell.match(request);
  if (kept) return kept;
  const r = await fetch(request);
  if (r.ok) {
    const name = new URL(request.url).pathname;
    for (const old of await shell.keys()) if (new URL(old.url).pathname === name) await shell.delete(old);
    await shell.put(request, r.clone());
  }
  return r;
}

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url);
  if (e.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (e.request.mode === "navigate") e.respondWith(page(e.request));
  else if (url.pathname.startsWith("/static/") && url.searchParams.has("v")) e.respondWith(file(e.request));
});
self.addEventListener("message", (e) => {
  if (e.data === "copy") e.waitUntil(copy());
  if (e.data === "forget") e.waitUntil(caches.delete(RIDES));
});
