// The agent at work on a drawing: progress, stop, go on, a region.

import { budget } from "./draw.js";
import { choice, field, h, trying } from "./dom.js";
import { pictureChooser } from "./picture.js";
import { post } from "./server.js";

export function agentPanel(drawing, agents, region) {
  const able = agents.filter((agent) => agent.large);
  const agent = choice(able.map(({ name }) => [name, name]), {}, able.some(({ name }) => name === drawing.about.agent) ? drawing.about.agent : "faces");
  const limits = budget({ strokes: 50 });
  const words = h("p", { role: "status" });
  const meter = h("progress", { class: "meter", max: 1, "aria-label": "Share of the painting that is done" });
  const chooser = h("div", {});
  let picture = null;
  const stop = h("button", { class: "main", onclick: trying(() => post(`/api/documents/${drawing.name}/stop`)) }, "Stop");
  const onwards = (where) => trying(async () => {
    const wanted = { agent: agent.value, ...limits.values(), picture: picture?.picture() ?? undefined };
    if (where) {
      if (!region()) throw new Error("mark a region first: choose Mark a region, and drag over the picture");
      wanted.region = region();
    }
    drawing.seek(drawing.actions.length);
    drawing.facts = (await post(`/api/documents/${drawing.name}/go-on`, wanted)).facts;
    drawing.tell();
  });
  const go = h("button", { onclick: onwards(false) }, "Go on painting");
  const part = h("button", { onclick: onwards(true) }, "Paint the region again");
  const more = h("div", {}, h("div", { class: "row" }, field("Agent", agent), limits.element), h("div", { class: "row" }, go, part), chooser);
  drawing.listen(() => {
    const { job, done, end, picture: has } = drawing.facts;
    const busy = job === "waiting" || job === "running";
    meter.hidden = !busy;
    meter.value = done;
    stop.hidden = !busy;
    more.hidden = busy;
    const text = busy ? (job === "waiting" ? "Waiting for its turn …" : `Painting: ${Math.round(100 * done)} %`) : end && `The last painting: ${end}.`;
    if (words.textContent !== text) words.textContent = text;
    if (!has && !picture) {
      picture = pictureChooser();
      chooser.replaceChildren(picture.element);
    }
  });
  const element = h("section", { class: "panel", "aria-label": "The agent" }, h("h2", {}, "Let an agent paint"), words, meter, stop, more);
  return { element };
}
