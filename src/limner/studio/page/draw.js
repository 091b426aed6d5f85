// Let an agent draw: a picture that it is shown, or some that it makes up.

import { choice, field, h, number, read, say, trying } from "./dom.js";
import { go } from "./gallery.js";
import { pictureChooser } from "./picture.js";
import { get, post } from "./server.js";

/** Fields for a budget: {element, values()}. */
export function budget(values = {}) {
  const strokes = number({ min: 1, max: 5000, value: values.strokes ?? 200 });
  const seconds = number({ min: 0, max: 600, step: "any", value: values.seconds ?? 10 });
  return {
    element: h("div", { class: "row" }, field("Strokes", strokes), field("Seconds of search (0: none)", seconds)),
    values: () => ({ strokes: read(strokes), seconds: read(seconds) ?? 0 }),
  };
}

/** Thumbnails that open as documents. */
export const thumbnails = (samples) =>
  h("ul", { class: "samples" }, samples.map((sample, i) => {
    const bytes = Uint8Array.from(atob(sample.picture), (letter) => letter.charCodeAt(0));
    const src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    const image = h("img", { src, alt: "", onload: () => URL.revokeObjectURL(src) });
    const open = trying(async () => go((await post("/api/documents", { program: sample.program })).document));
    return h("li", {}, h("button", { onclick: open, "aria-label": `Open drawing ${i + 1}` }, image));
  }));

function sampling(agents, chosen) {
  const agent = choice(agents.map(({ name }) => [name, name]), {}, chosen);
  const count = number({ min: 1, max: 16, value: 8 });
  const temperature = number({ min: 0, max: 10, step: "any", placeholder: "its own" });
  const seed = number({ min: 0, value: 0 });
  const found = h("div", { "aria-live": "polite" });
  const button = h("button", { class: "main", onclick: trying(async () => {
    button.disabled = true;
    say("drawing …");
    try {
      const wanted = { agent: agent.value, count: read(count), seed: read(seed), temperature: read(temperature) };
      found.replaceChildren(thumbnails((await post("/api/samples", wanted)).samples));
      say("");
      seed.value = Number(seed.value) + 1;
    } finally {
      button.disabled = false;
    }
  }) }, "Draw");
  return h("section", { class: "panel", "aria-label": "Make pictures up" },
    h("h2", {}, "Pictures that an agent makes up"),
    h("div", { class: "row" }, field("Agent", agent), field("How many", count), field("Temperature", temperature), field("Seed", seed), button),
    found);
}

function painting(agents, chosen) {
  const agent = choice(agents.map(({ name }) => [name, name]), {}, chosen ?? "faces");
  const chooser = pictureChooser();
  const limits = budget();
  const paint = trying(async () => {
    if (!chooser.picture()) throw new Error("choose a picture first");
    go((await post("/api/paintings", { agent: agent.value, picture: chooser.picture(), ...limits.values() })).document);
  });
  const element = h("section", { class: "panel", "aria-label": "Paint a picture" },
    h("h2", {}, "A picture that an agent is shown"),
    chooser.element,
    h("div", { class: "row" }, field("Agent", agent), limits.element, h("button", { class: "main", onclick: paint }, "Paint")));
  return { element, end: chooser.end };
}

export async function open(content, [name]) {
  const { agents } = await get("/api/gallery");
  const of = (conditional) => agents.filter((agent) => agent.conditional === conditional);
  const conditional = agents.find((agent) => agent.name === name)?.conditional;
  const chosen = (kind) => (conditional === kind ? name : undefined);
  const paint = painting(of(true), chosen(true));
  const parts = [paint.element, sampling(of(false), chosen(false))];
  content.append(...(conditional === false ? parts.reverse() : parts));
  return paint.end;
}
