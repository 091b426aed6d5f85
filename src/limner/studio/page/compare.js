// Two agents, two budgets or two programs on one picture, side by side.

import { chart } from "./chart.js";
import { budget } from "./draw.js";
import { choice, field, h, say, trying } from "./dom.js";
import { pictureChooser } from "./picture.js";
import { frames, get, post } from "./server.js";
import { Stage } from "./stage.js";

const OFTEN = 1500;
const SIDES = ["First", "Second"];

/** What is to be on one side: an agent with a budget, or a drawing that is open. */
function side(words, agents, documents, values) {
  const limits = budget(values);
  const kinds = [...agents.map(({ name }) => [`agent ${name}`, `Agent ${name}`]), ...documents.map(({ name, agent }, i) => [`open ${name}`, `Drawing ${i + 1} (${agent || "no agent"})`])];
  const kind = choice(kinds, { onchange: () => (limits.element.hidden = kind.value.startsWith("open")) }, "agent faces");
  const element = h("fieldset", { class: "panel" }, h("legend", {}, words), field("What is shown", kind), limits.element);
  const start = async (picture) => {
    const [what, ...rest] = kind.value.split(" ");
    if (what === "open") return rest.join(" ");
    if (!picture) throw new Error("choose a picture first");
    return (await post("/api/paintings", { agent: rest.join(" "), picture, ...limits.values() })).document;
  };
  return { element, start };
}

/** A drawing that is watched: {element, seek(share), errors, end()}. */
async function watched(name, words) {
  const stage = new Stage(words);
  stage.over.remove();
  const about = await get(`/api/documents/${name}`);
  const line = h("p", { class: "quiet", "aria-live": "off" });
  const self = { facts: about.facts, share: 1, errors: [], end: null };
  const show = () => {
    const count = Math.round(self.share * self.facts.length);
    frames.want(name, count);
    line.textContent = `${count} of ${self.facts.length} strokes${self.facts.job === "running" ? `, painting: ${Math.round(100 * self.facts.done)} %` : ""}${self.facts.job === "waiting" ? ", waiting for its turn" : ""}${self.facts.end && self.facts.job === "ended" ? `, ${self.facts.end}` : ""}`;
  };
  self.seek = (share) => {
    self.share = share;
    show();
  };
  self.end = frames.watch(name, { facts: (facts) => { self.facts = facts; show(); }, frame: (header, part) => stage.put(header, part) });
  self.load = async () => {
    const found = await get(`/api/documents/${name}/errors`).catch(() => null);
    if (found) self.errors = found.counts.map((count, i) => [count, found.errors[i]]);
  };
  self.element = h("div", {}, h("h2", {}, words), stage.element, line, h("a", { class: "button", href: `#/desk/${name}` }, `Open the ${words.toLowerCase()} drawing`));
  show();
  return self;
}

export async function open(content) {
  const { agents, documents } = await get("/api/gallery");
  const able = agents.filter((agent) => agent.conditional);
  const chooser = pictureChooser();
  const sides = SIDES.map((words, i) => side(words, able, documents, { strokes: i ? 200 : 50, seconds: 0 }));
  const result = h("div", { "aria-live": "off" });
  let shown = [];
  let timer = null;
  const finish = () => {
    clearInterval(timer);
    shown.forEach((each) => each.end());
    shown = [];
  };
  const compare = trying(async () => {
    finish();
    const names = [];
    for (const each of sides) names.push(await each.start(chooser.picture()));
    shown = await Promise.all(names.map((name, i) => watched(name, SIDES[i])));
    const slider = h("input", { type: "range", min: "0", max: "1000", value: "1000", "aria-label": "Timeline of both drawings", oninput: () => shown.forEach((each) => each.seek(Number(slider.value) / 1000)) });
    const place = h("div", {});
    result.replaceChildren(h("div", { class: "pair" }, shown.map((each) => each.element)), h("div", { class: "panel" }, slider), h("h2", {}, "Error over strokes"), place);
    const update = async () => {
      await Promise.all(shown.map((each) => each.load()));
      place.replaceChildren(chart("Mean squared error", "strokes", shown.map((each, i) => ({ words: SIDES[i], points: each.errors }))));
    };
    await update();
    timer = setInterval(() => update().catch((error) => say(error.message)), OFTEN);
  });
  content.append(chooser.element, h("div", { class: "pair" }, sides.map((each) => each.element)), h("div", { class: "row" }, h("button", { class: "main", onclick: compare }, "Compare")), result);
  return () => {
    finish();
    chooser.end();
  };
}
