// Builds assets/dist: Bootstrap Italia cut down to the classes our templates
// and scripts name, Leaflet, two weights of Titillium Web, and their licences.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const dist = join(here, "assets", "dist");

function walk(dir, keep) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((e) => {
      const p = join(dir, e.name);
      if (e.isDirectory()) return e.name === "dist" || e.name === "node_modules" ? [] : walk(p, keep);
      return keep.test(e.name) ? [p] : [];
    });
}

// What names classes: templates and scripts of the shell and of every area's page.
const sources = [...walk(here, /^(?!build).*\.(html|js)$/)];
for (const area of readdirSync(root, { withFileTypes: true })) {
  if (area.isDirectory() && !area.name.startsWith(".") && area.name !== "internal") {
    sources.push(...walk(join(root, area.name, "page"), /\.(html|js)$/));
  }
}

const hash = createHash("sha256");
for (const f of [join(here, "package-lock.json"), join(here, "build.mjs"), ...sources]) {
  hash.update(relative(root, f)).update("\0").update(readFileSync(f)).update("\0");
}
const print = hash.digest("hex");
const stamp = join(dist, "stamp.txt");
if (existsSync(stamp) && readFileSync(stamp, "utf8") === print) {
  process.exit(0);
}

const mod = (...p) => join(here, "node_modules", ...p);
const next = dist + ".next";
rmSync(next, { recursive: true, force: true });
mkdirSync(next, { recursive: true });

const [purged] = await new PurgeCSS().purge({
  content: sources,
  css: [mod("bootstrap-italia", "dist", "css", "bootstrap-italia.min.css")],
  fontFace: true,
  keyframes: true,
  variables: false,
  safelist: ["html", "body"],
});
const fonts = [
  ["regular", "400"],
  ["600", "600 700"],
]
  .map(([file, weight]) => {
    const name = `titillium-${file}.woff2`;
    cpSync(mod("bootstrap-italia", "src", "fonts", "Titillium_Web", `titillium-web-v10-latin-ext_latin-${file}.woff2`), join(next, name));
    return `@font-face{font-family:"Titillium Web";font-style:normal;font-weight:${weight};font-display:swap;src:url("${name}") format("woff2")}`;
  })
  .join("");
// The minified sheet names a source map that is not shipped.
const css = purged.css.replace(/\/\*# sourceMappingURL=.*?\*\//g, "").replace('@charset "UTF-8";', "").replace(/\uFEFF/g, "");
writeFileSync(join(next, "bootstrap-italia.css"), '@charset "UTF-8";' + fonts + css);

writeFileSync(join(next, "leaflet.js"), readFileSync(mod("leaflet", "dist", "leaflet.js"), "utf8").replace(/\/\/# sourceMappingURL=.*/g, ""));
cpSync(mod("leaflet", "dist", "leaflet.css"), join(next, "leaflet.css"));
cpSync(mod("leaflet", "LICENSE"), join(next, "LICENSE-leaflet.txt"));
cpSync(mod("bootstrap-italia", "LICENSE"), join(next, "LICENSE-bootstrap-italia.txt"));

writeFileSync(join(next, "stamp.txt"), print);
rmSync(dist, { recursive: true, force: true });
renameSync(next, dist);
for (const f of readdirSync(dist)) console.error(`assets: ${f} ${statSync(join(dist, f)).size} bytes`);
