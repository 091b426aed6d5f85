// Changing strokes: select, move, change, delete, reorder, draw, undo, branch.

import { choice, field, h, say, trying } from "./dom.js";
import { go } from "./gallery.js";
import { get, post } from "./server.js";
import { places } from "./stage.js";
import { colourOf } from "./stepper.js";

const NEAR = 14;
const MODES = [["select", "Select strokes"], ["draw", "Draw a stroke"], ["region", "Mark a region"]];

/** Fields for the parts of the selected actions that are no places. */
function partFields(drawing) {
  const { about, actions, selected } = drawing;
  const steps = [...selected];
  const first = actions[Math.min(...steps)];
  const set = (part, value) => trying(() => drawing.change({ do: "set", steps, values: { [part.name]: value } }))();
  const fields = about.parts.flatMap((part, i) => {
    if (part.colour || !about.mask[about.verb === null ? 0 : first[about.verb]][i]) return [];
    if (part.grid) return placeFields(drawing, part, first[i], Math.min(...steps));
    const options = Array.from({ length: part.size }, (_, value) => [value, part.verbs?.[value] ?? (part.values ? `${Number(part.values[value].toPrecision(4))} ${part.unit}` : value)]);
    return [field(part.words, choice(options, { onchange: (event) => set(part, Number(event.target.value)) }, String(first[i])))];
  });
  const colour = colourOf(about, first);
  if (colour) fields.push(field("colour", h("input", { type: "color", value: colour, onchange: trying((event) => recolour(drawing, steps, event.target.value)) })));
  return fields;
}

function recolour(drawing, steps, colour) {
  const channels = drawing.about.parts.filter((part) => part.colour);
  const values = channels.map((part, i) => [part.name, Math.round((parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16) / 255) * (part.size - 1))]);
  return drawing.change({ do: "set", steps, values: Object.fromEntries(values) });
}

function placeFields(drawing, part, value, step) {
  const [rows, columns] = part.grid;
  const [row, column] = [Math.floor(value / columns), value % columns];
  const set = (x, y) => trying(() => drawing.change({ do: "set", steps: [step], values: { [part.name]: y * columns + x } }))();
  const input = (at, count, words, change) => field(`${part.words} ${words}`, h("input", { type: "number", min: "0", max: String(count - 1), value: String(at), onchange: (event) => change(Math.min(count - 1, Math.max(0, Math.round(Number(event.target.value))))) }));
  return [input(column, columns, "column", (x) => set(x, row)), input(row, rows, "row", (y) => set(column, y))];
}

/** A new action from a line that was drawn, like the selected one or the last. */
function drawn(drawing, [start, middle, end]) {
  const { about, actions, count, selected } = drawing;
  const like = actions[selected.size ? Math.min(...selected) : count - 1] ?? about.parts.map((part) => (part.colour ? 0 : Math.floor(part.size / 2)));
  const bend = [2 * middle[0] - (start[0] + end[0]) / 2, 2 * middle[1] - (start[1] + end[1]) / 2];
  const at = { start, control: bend, end, point: end, location: end };
  return about.parts.map((part, i) => {
    if (part.verbs) return Math.max(0, about.mask.findIndex((row) => row.every(Boolean)));
    if (!part.grid || !at[part.name]) return like[i];
    if (part.sights) return part.sights.map(([x, y]) => (x - end[0]) ** 2 + (y - end[1]) ** 2).reduce((best, each, j, all) => (each < all[best] ? j : best), 0);
    const [x, y] = at[part.name].map((share, axis) => Math.min(part.grid[1 - axis] - 1, Math.max(0, Math.floor(share * part.grid[1 - axis]))));
    return y * part.grid[1] + x;
  });
}

/** {element, draw(pen), region()} for a drawing on a stage. */
export function editor(drawing, stage) {
  let mode = "select";
  let region = null;
  let held = null;
  const fields = h("div", { class: "row" });
  const words = h("p", { class: "quiet", "aria-live": "polite" });
  const edit = (make, after) => trying(async () => {
    if (drawing.selected.size === 0) throw new Error("select a stroke first: click on it, or press Select this action");
    await drawing.change(make([...drawing.selected].sort((a, b) => a - b)));
    after?.();
    drawing.tell();
  });
  const one = (make) => edit((steps) => make(steps[0]));
  const pick = (steps) => {
    drawing.selected = new Set(steps);
    drawing.tell();
  };
  const move = (by) => trying(async () => {
    const step = Math.min(...drawing.selected);
    const to = Math.min(drawing.actions.length - 1, Math.max(0, step + by));
    if (!Number.isFinite(step)) throw new Error("select a stroke first");
    await drawing.change({ do: "move", step, to });
    pick([to]);
  });
  const undo = h("button", { onclick: trying(() => drawing.change({ do: "undo" })) }, "Undo");
  const redo = h("button", { onclick: trying(() => drawing.change({ do: "redo" })) }, "Redo");
  const modes = MODES.map(([name, label]) => h("button", { onclick: () => setMode(name), "aria-pressed": String(name === mode) }, label));
  function setMode(name) {
    mode = name;
    MODES.forEach(([each], i) => modes[i].setAttribute("aria-pressed", String(each === mode)));
    if (name !== "region") region = null;
    stage.draw();
  }
  const settings = Object.entries(drawing.about.choices).map(([setting, all]) => {
    const select = choice(all.map((each) => [each, each]), { onchange: trying(() => drawing.change({ do: "choose", setting, name: select.value })) });
    drawing.listen(() => (select.value = drawing.about.renderer[setting]));
    return field(setting, select);
  });
  drawing.listen(() => {
    const { undo: back, redo: forth } = drawing.facts;
    undo.disabled = !back;
    redo.disabled = !forth;
    undo.title = back ? `Undo: ${back}` : "";
    redo.title = forth ? `Redo: ${forth}` : "";
    words.textContent = drawing.selected.size ? `Selected: ${[...drawing.selected].sort((a, b) => a - b).map((step) => step + 1).slice(0, 8).join(", ")}${drawing.selected.size > 8 ? " …" : ""}` : "No stroke is selected.";
    const state = JSON.stringify([...drawing.selected].map((step) => [step, drawing.actions[step]]));
    if (fields.dataset.state === state) return;
    const focused = fields.contains(document.activeElement) ? document.activeElement.closest(".field").firstChild.textContent : null;
    fields.dataset.state = state;
    fields.replaceChildren(...(drawing.selected.size ? partFields(drawing) : []));
    const again = [...fields.children].find((each) => each.firstChild.textContent === focused);
    again?.querySelector("input, select").focus();
  });
  const element = h("section", { class: "panel", "aria-label": "Change" },
    h("h2", {}, "Change"),
    h("div", { class: "row tight", role: "group", "aria-label": "What the pointer does" }, modes),
    words, fields,
    h("div", { class: "row tight" },
      h("button", { onclick: () => drawing.count && pick([drawing.count - 1]) }, "Select this action"),
      h("button", { onclick: () => pick([]) }, "Select none"),
      h("button", { onclick: one((step) => ({ do: "copy", step })) }, "Copy"),
      h("button", { onclick: edit((steps) => ({ do: "delete", steps }), () => pick([])) }, "Delete"),
      h("button", { onclick: move(-1) }, "Earlier"), h("button", { onclick: move(1) }, "Later")),
    h("div", { class: "row tight" }, undo, redo,
      h("button", { onclick: trying(async () => go((await post("/api/documents", { copy: drawing.name, count: drawing.count })).document)) }, "Branch from here"),
      h("button", { onclick: trying(() => drawing.change({ do: "cut", at: drawing.count })) }, "Drop what comes later")),
    h("div", { class: "row" }, settings));

  stage.over.addEventListener("pointerdown", trying(async (event) => {
    stage.over.setPointerCapture(event.pointerId);
    const place = stage.under(event);
    if (mode !== "select") {
      held = { kind: mode, path: [place] };
      return;
    }
    const grip = [...drawing.selected].flatMap((step) => places(drawing.about, drawing.actions[step]).map((each) => ({ ...each, step })))
      .find(({ x, y }) => Math.hypot(...stage.at(x, y).map((at, axis) => at - stage.at(...place)[axis])) < NEAR * stage.scale);
    if (grip) {
      held = { kind: "grip", grip, place };
      return;
    }
    held = { kind: "shift", from: place, place };
    const { step } = await get(`/api/documents/${drawing.name}/at`, { x: place[0], y: place[1], count: drawing.count });
    if (step === null) {
      held = null;
      pick([]);
    } else if (event.shiftKey) {
      held = null;
      pick(drawing.selected.has(step) ? [...drawing.selected].filter((each) => each !== step) : [...drawing.selected, step]);
    } else if (!drawing.selected.has(step)) pick([step]);
  }));
  stage.over.addEventListener("pointermove", (event) => {
    if (!held) return;
    held.place = stage.under(event);
    held.path?.push(held.place);
    stage.draw();
  });
  stage.over.addEventListener("pointerup", trying(async (event) => {
    const { kind, path, grip, from } = held ?? {};
    const place = stage.under(event);
    held = null;
    if (kind === "region") {
      const [x, y] = path[0];
      region = [Math.min(x, place[0]), Math.min(y, place[1]), Math.max(x, place[0]), Math.max(y, place[1])];
    } else if (kind === "draw") {
      const at = drawing.count;
      await drawing.change({ do: "insert", at, action: drawn(drawing, [path[0], path[Math.floor(path.length / 2)], place]) }, at + 1);
      pick([at]);
    } else if (kind === "grip") {
      await drawing.change({ do: "place", step: grip.step, part: grip.part.name, x: place[0], y: place[1] });
    } else if (kind === "shift" && Math.hypot(place[0] - from[0], place[1] - from[1]) > 0.01 && drawing.selected.size) {
      await drawing.change({ do: "shift", steps: [...drawing.selected], x: place[0] - from[0], y: place[1] - from[1] });
    }
    stage.draw();
  }));
  stage.over.addEventListener("keydown", trying(async (event) => {
    const cell = 1 / (drawing.about.parts.find((part) => part.grid)?.grid[1] ?? 32);
    const by = { ArrowLeft: [-cell, 0], ArrowRight: [cell, 0], ArrowUp: [0, -cell], ArrowDown: [0, cell] }[event.key];
    if (drawing.selected.size === 0 || !(by || event.key === "Delete")) return;
    event.preventDefault();
    const steps = [...drawing.selected];
    if (by) await drawing.change({ do: "shift", steps, x: by[0], y: by[1] });
    else {
      await drawing.change({ do: "delete", steps });
      pick([]);
    }
  }));

  function draw(pen) {
    for (const step of drawing.selected) {
      let action = drawing.actions[step];
      if (!action) continue;
      const before = step ? places(drawing.about, drawing.actions[step - 1]).find(({ part }) => part.name === "end" || part.name === "point") : { x: 0, y: 0 };
      if (held?.kind === "grip" && held.grip.step === step && !held.grip.part.sights) {
        const { index, part } = held.grip;
        const [x, y] = held.place.map((share, axis) => Math.min(part.grid[1 - axis] - 1, Math.floor(share * part.grid[1 - axis])));
        action = action.with(index, y * part.grid[1] + x);
      }
      stage.stroke(pen, drawing.about, action, before, true);
    }
    if (held?.kind === "draw" && held.path.length > 1) {
      pen.strokeStyle = "#b02a10";
      pen.lineWidth = 3 * stage.scale;
      pen.beginPath();
      held.path.forEach(([x, y], i) => (i ? pen.lineTo(...stage.at(x, y)) : pen.moveTo(...stage.at(x, y))));
      pen.stroke();
    }
    const marked = held?.kind === "region" && held.place ? [...held.path[0], ...held.place] : region;
    if (marked) stage.region(pen, marked);
  }
  const shares = () => {
    if (!region) return null;
    const [left, top, right, bottom] = stage.frame;
    const share = (at, low, high) => Math.min(1, Math.max(0, (at - low) / (high - low)));
    return [share(region[0], left, right), share(region[1], top, bottom), share(region[2], left, right), share(region[3], top, bottom)];
  };
  return { element, draw, region: shares };
}
