// Runs: curves and samples, also of those that are running.

import { chart } from "./chart.js";
import { choice, field, h, say, trying } from "./dom.js";
import { thumbnails } from "./draw.js";
import { get, post } from "./server.js";

const OFTEN = 5000;
const FIRST = ["eval/normalised_frechet", "eval/mse", "loss", "reward"];

export async function open(content, [name]) {
  const { agents, runs } = await get("/api/gallery");
  if (runs.length === 0) {
    content.append(h("p", {}, "There are no runs in this folder: limner train makes some."));
    return;
  }
  const run = choice(runs.map(({ folder }) => [folder, folder]), { onchange: () => show() }, runs.some(({ folder }) => folder === name) ? name : runs[0].folder);
  const figure = choice([], { onchange: () => draw() });
  const place = h("div", {});
  const found = h("div", { "aria-live": "polite" });
  const sample = h("button", { onclick: trying(async () => {
    say("drawing …");
    found.replaceChildren(thumbnails((await post("/api/samples", { agent: run.value, count: 12, seed: Math.floor(Math.random() * 1e6) })).samples));
    say("");
  }) }, "Draw some now");
  let curves = {};
  const draw = () => place.replaceChildren(chart(`${figure.value} of ${run.value}`, "minutes", [{ words: figure.value, points: curves[figure.value] ?? [] }]));
  async function show() {
    curves = await get("/api/curves", { run: run.value });
    const names = Object.keys(curves).sort();
    const before = names.includes(figure.value) ? figure.value : FIRST.find((each) => names.includes(each)) ?? names[0];
    if (names.join() !== [...figure.options].map((option) => option.value).join()) {
      figure.replaceChildren(...names.map((each) => h("option", { value: each }, each)));
    }
    if (before) figure.value = before;
    const agent = agents.find((each) => each.name === run.value);
    sample.disabled = !agent || agent.conditional;
    draw();
  }
  content.append(
    h("div", { class: "row" }, field("Run", run), field("Figure", figure), sample),
    place, found,
    h("h2", {}, "All runs"),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "All runs" }, h("table", {},
      h("thead", {}, h("tr", {}, ["Run", "State", "Algorithm", "Data", "Frames", "Minutes"].map((words) => h("th", { scope: "col" }, words)))),
      h("tbody", {}, runs.map((each) => h("tr", {},
        h("th", { scope: "row" }, h("a", { href: `#/runs/${encodeURIComponent(each.folder)}` }, each.folder)),
        [each.state, each.algorithm ?? "–", each.data ?? "–", String(each.frames), each.minutes.toFixed(1)].map((words) => h("td", {}, words))))))));
  await show();
  const timer = setInterval(() => show().catch(() => {}), OFTEN);
  return () => clearInterval(timer);
}
