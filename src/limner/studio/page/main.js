// Which view is shown: it is in the address, so that back and forward work.

import { h, say } from "./dom.js";

const VIEWS = { gallery: "Gallery", draw: "Draw", desk: "Drawing", compare: "Compare", runs: "Runs" };
let leave = () => {};

async function show() {
  const [, name = "gallery", ...rest] = location.hash.split("/");
  const view = name in VIEWS ? name : "gallery";
  const main = document.getElementById("main");
  leave();
  leave = () => {};
  document.title = `${VIEWS[view]} – Limner studio`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.replaceChildren(h("p", { class: "quiet" }, "Loading …"));
  const here = location.hash;
  try {
    const { open } = await import(`./${view}.js`);
    const content = h("div", {});
    const end = await open(content, rest.map(decodeURIComponent));
    if (here !== location.hash) return end?.();
    leave = end ?? (() => {});
    main.replaceChildren(h("h1", {}, VIEWS[view]), content);
    if (show.again) main.focus({ preventScroll: true });
    scrollTo(0, 0);
    show.again = true;
  } catch (error) {
    main.replaceChildren(h("h1", {}, VIEWS[view]), h("p", { class: "problem" }, error.message));
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
window.addEventListener("hashchange", () => {
  say("");
  show();
});
show();
