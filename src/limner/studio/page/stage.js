// A picture that is put together from frames, with strokes, handles and a heat map drawn over it.

import { h } from "./dom.js";

/** Where places of an action lie, as shares of the canvas: [{part, index, x, y}]. */
export function places(about, action) {
  const full = about.verb === null ? 0 : action[about.verb];
  return about.parts.flatMap((part, index) => {
    if (!part.grid || !about.mask[full][index] || part.origin[0] || part.origin[1]) return [];
    if (part.sights) return [{ part, index, x: part.sights[action[index]][0], y: part.sights[action[index]][1] }];
    const [rows, columns] = part.grid;
    return [{ part, index, x: ((action[index] % columns) + 0.5) / columns, y: (Math.floor(action[index] / columns) + 0.5) / rows }];
  });
}

export class Stage {
  constructor(label) {
    this.picture = h("canvas", { width: 1, height: 1, role: "img", "aria-label": label });
    this.over = h("canvas", { class: "over", width: 1, height: 1, tabindex: 0, role: "application", "aria-label": `${label}: strokes`, "aria-describedby": "stage-help" });
    this.element = h("div", { class: "stage" }, this.picture, this.over);
    this.frame = [0, 0, 1, 1];
    this.marks = () => {};
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Put a part of a frame in its place. */
  put(header, part) {
    if (this.picture.width !== header.width || this.picture.height !== header.height) {
      this.picture.width = header.width;
      this.picture.height = header.height;
    }
    if (part) this.picture.getContext("2d").drawImage(part, header.left, header.top);
    part?.close();
    this.draw();
  }

  /** From shares of the canvas to pixels of the overlay. */
  at(x, y) {
    const [left, top, right, bottom] = this.frame;
    return [((x - left) / (right - left)) * this.over.width, ((y - top) / (bottom - top)) * this.over.height];
  }

  /** From a pointer to shares of the canvas. */
  under(event) {
    const box = this.over.getBoundingClientRect();
    const [left, top, right, bottom] = this.frame;
    const share = (at, low, size) => Math.min(1, Math.max(0, (at - low) / size));
    return [left + share(event.clientX, box.left, box.width) * (right - left), top + share(event.clientY, box.top, box.height) * (bottom - top)];
  }

  draw() {
    const box = this.over.getBoundingClientRect();
    const scale = window.devicePixelRatio || 1;
    this.over.width = Math.max(1, Math.round(box.width * scale));
    this.over.height = Math.max(1, Math.round(box.height * scale));
    const pen = this.over.getContext("2d");
    this.scale = scale;
    this.marks(pen, this);
  }

  /** Draw the path of an action, and its handles; start is where the pen was. */
  stroke(pen, about, action, start, strong) {
    const found = places(about, action);
    if (found.length === 0) return;
    const named = (name) => found.find(({ part }) => part.name === name);
    const end = named("end") ?? named("point") ?? found.at(-1);
    const from = named("start") ?? start;
    const bend = named("control");
    pen.lineCap = "round";
    for (const [width, colour] of [[5, "#ffffff"], [2, strong ? "#b02a10" : "#1d5c8a"]]) {
      pen.lineWidth = width * this.scale;
      pen.strokeStyle = colour;
      pen.beginPath();
      if (from) {
        pen.moveTo(...this.at(from.x, from.y));
        if (bend) pen.quadraticCurveTo(...this.at(bend.x, bend.y), ...this.at(end.x, end.y));
        else pen.lineTo(...this.at(end.x, end.y));
      }
      pen.stroke();
      if (!strong) continue;
      for (const { x, y, part } of found) {
        pen.beginPath();
        pen.arc(...this.at(x, y), (part.name === "control" ? 5 : 7) * this.scale, 0, 2 * Math.PI);
        pen.fillStyle = colour;
        pen.fill();
      }
    }
  }

  /** Draw the probabilities of the cells of a place. */
  heat(pen, rows, part) {
    const most = Math.max(...rows.flat());
    const [height, width] = [rows.length, rows[0].length];
    rows.forEach((row, i) => row.forEach((share, j) => {
      const strength = Math.sqrt(share / most);
      if (strength < 0.03) return;
      pen.fillStyle = `rgba(214, 40, 20, ${0.75 * strength})`;
      if (part?.sights) {
        pen.beginPath();
        pen.arc(...this.at(...part.sights[i * width + j]), 6 * this.scale, 0, 2 * Math.PI);
        pen.fill();
        return;
      }
      const [left, top] = this.at(j / width, i / height);
      const [right, bottom] = this.at((j + 1) / width, (i + 1) / height);
      pen.fillRect(left, top, right - left, bottom - top);
    }));
  }

  /** Draw a region, [left, top, right, bottom] as shares of the canvas. */
  region(pen, [left, top, right, bottom]) {
    const [x, y] = this.at(left, top);
    const [u, v] = this.at(right, bottom);
    for (const [colour, dash] of [["#ffffff", []], ["#b02a10", [8, 6]]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = 2 * this.scale;
      pen.setLineDash(dash.map((each) => each * this.scale));
      pen.strokeRect(x, y, u - x, v - y);
    }
    pen.setLineDash([]);
  }
}
