// One drawing: its timeline, what each action is, and what a person changes.

import { editor } from "./editor.js";
import { h, say, trying } from "./dom.js";
import { frames, get, post } from "./server.js";
import { Stage } from "./stage.js";
import { stepper } from "./stepper.js";
import { agentPanel } from "./agent.js";
import { Drawing } from "./drawing.js";

const SIZES = [512, 1024, 2048, 4096];

const saving = (name) =>
  h("section", { class: "panel", "aria-label": "Save" },
    h("h2", {}, "Save"),
    h("div", { class: "row" },
      h("a", { class: "button", href: `/api/documents/${name}/drawing.json`, download: "drawing.json" }, "Program"),
      SIZES.map((size) => h("a", { class: "button", href: `/api/documents/${name}/drawing.png?size=${size}`, download: `drawing-${size}.png` }, `PNG ${size}`)),
      h("a", { class: "button", href: `/api/documents/${name}/drawing.svg`, download: "drawing.svg" }, "SVG"),
      h("a", { class: "button", href: `/api/documents/${name}/drawing.gif`, download: "drawing.gif" }, "GIF")));

export async function open(content, [name]) {
  const [about, { agents }] = await Promise.all([get(`/api/documents/${name}`), get("/api/gallery")]);
  const drawing = new Drawing(name, about);
  const stage = new Stage("The drawing");
  stage.frame = about.frame;
  const steps = stepper(drawing, agents);
  const edits = editor(drawing, stage);
  const agent = agentPanel(drawing, agents, () => edits.region());
  stage.marks = (pen) => {
    if (drawing.heat) stage.heat(pen, drawing.heat.places, drawing.about.parts.find((part) => part.name === drawing.heat.part));
    edits.draw(pen);
  };
  drawing.listen(() => stage.draw());
  content.append(
    h("p", { class: "hidden", id: "stage-help" }, "Arrow keys move the selected strokes; Delete removes them. The timeline and the fields beside the picture do all that a pointer can."),
    h("div", { class: "desk" },
      h("div", {}, stage.element, steps.timeline),
      h("div", {}, agent.element, steps.description, edits.element, saving(name))));
  const end = frames.watch(name, {
    facts: trying((facts) => drawing.update(facts)),
    frame: (header, part) => stage.put(header, part),
  });
  drawing.listen(() => frames.want(name, drawing.count));
  drawing.tell();
  const keys = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches("input")) return;
    event.preventDefault();
    trying(() => drawing.change({ do: event.shiftKey ? "redo" : "undo" }))();
  };
  document.addEventListener("keydown", keys);
  return () => {
    end();
    steps.end();
    document.removeEventListener("keydown", keys);
    say("");
  };
}
