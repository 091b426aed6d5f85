// The timeline, what the action at its place is, and where an agent would go on.

import { choice, field, h, trying } from "./dom.js";
import { get } from "./server.js";

const SPEEDS = [[2, "2 a second"], [10, "10 a second"], [30, "30 a second"], [100, "100 a second"], [400, "400 a second"]];

/** A part of an action in words and units. */
export function inWords(about, part, value) {
  if (part.verbs) return part.verbs[value];
  if (part.grid) {
    const [rows, columns] = part.grid;
    const [row, column] = [Math.floor(value / columns) - part.origin[0], (value % columns) - part.origin[1]];
    if (part.origin[0] || part.origin[1]) return `${column} cells to the right, ${row} down`;
    const pixels = (cell, count) => (((cell + 0.5) / count) * about.renderer.canvas).toFixed(1);
    return `column ${column}, row ${row} (x ${pixels(column, columns)} px, y ${pixels(row, rows)} px)`;
  }
  if (part.values) return `${Number(part.values[value].toPrecision(4))} ${part.unit}`.trim();
  return String(value);
}

/** The colour of an action as #rrggbb, null where it has none. */
export function colourOf(about, action) {
  const channels = about.parts.flatMap((part, i) => (part.colour ? [Math.round((255 * action[i]) / (part.size - 1))] : []));
  return channels.length === 3 ? `#${channels.map((each) => each.toString(16).padStart(2, "0")).join("")}` : null;
}

function describe(about, action) {
  const counts = about.mask[about.verb === null ? 0 : action[about.verb]];
  const rows = about.parts.flatMap((part, i) => (counts[i] && !part.colour ? [[part.words, inWords(about, part, action[i])]] : []));
  const list = h("dl", {}, rows.map(([name, words]) => [h("dt", {}, name), h("dd", {}, words)]));
  const colour = colourOf(about, action);
  if (colour) {
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colour;
    list.append(h("dt", {}, "colour"), h("dd", {}, swatch, colour));
  }
  return list;
}

function outlook(drawing, agents) {
  const agent = choice(agents.map(({ name }) => [name, name]), {}, agents.some(({ name }) => name === drawing.about.agent) ? drawing.about.agent : agents[0].name);
  const words = h("p", { class: "quiet", "aria-live": "polite" });
  const ask = trying(async () => {
    const seen = await get(`/api/documents/${drawing.name}/outlook`, { agent: agent.value, count: drawing.count });
    drawing.heat = seen;
    const best = Math.max(...seen.places.flat());
    words.textContent = `The likeliest ${seen.part} has a probability of ${(100 * best).toFixed(1)} %.` +
      (seen.value === null ? " This agent was not trained on rewards, so it has no estimate of value." : ` It expects rewards of ${seen.value.toPrecision(3)} from here on.`);
    drawing.tell();
  });
  drawing.listen(() => {
    if (!drawing.heat) words.textContent = "";
  });
  return [h("div", { class: "row" }, field("Agent", agent), h("button", { onclick: ask }, "Where would it go on?")), words];
}

/** {timeline, description, end()} of a drawing. */
export function stepper(drawing, agents) {
  const slider = h("input", { type: "range", min: "0", step: "1", "aria-label": "Timeline: actions painted", oninput: () => drawing.seek(Number(slider.value)) });
  const words = h("p", { class: "quiet" });
  const speed = choice(SPEEDS, { "aria-label": "Speed" }, "30");
  let timer = null;
  const play = h("button", { onclick: () => (timer ? pause() : start()) }, "Play");
  const button = (label, words, to) => h("button", { onclick: () => (pause(), drawing.seek(to())), "aria-label": words, title: words }, label);
  function pause() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function start() {
    if (drawing.count >= drawing.actions.length) drawing.seek(0);
    let last = performance.now();
    let left = 0;
    timer = setInterval(() => {
      const now = performance.now();
      left += ((now - last) / 1000) * Number(speed.value);
      last = now;
      const whole = Math.floor(left);
      left -= whole;
      if (whole) drawing.seek(drawing.count + whole);
      if (drawing.count >= drawing.actions.length) pause();
    }, 30);
    play.textContent = "Pause";
  }
  const step = h("div", {});
  const heading = h("h2", {});
  const listen = () => {
    const { count, actions, about, facts } = drawing;
    slider.max = String(actions.length);
    slider.value = String(count);
    slider.setAttribute("aria-valuetext", `${count} of ${actions.length} actions`);
    words.textContent = `${count} of ${actions.length} actions` + (facts.ready < facts.length ? `, opening: ${facts.ready} painted` : "");
    heading.textContent = count ? `Action ${count}` : "Before the first action";
    step.replaceChildren(count ? describe(about, actions[count - 1]) : h("p", { class: "quiet" }, "The canvas is empty."));
  };
  drawing.listen(listen);
  const timeline = h("section", { class: "panel", "aria-label": "Timeline" },
    slider, words,
    h("div", { class: "row tight" },
      button("|◀", "To the beginning", () => 0), button("◀", "One action back", () => drawing.count - 1), play,
      button("▶", "One action forward", () => drawing.count + 1), button("▶|", "To the end", () => drawing.actions.length), speed));
  const description = h("section", { class: "panel", "aria-label": "The action" }, heading, step, outlook(drawing, agents));
  return { timeline, description, end: pause };
}
