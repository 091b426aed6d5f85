// A chart of one or two curves.

import { h, svg } from "./dom.js";

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 64;
const BOTTOM = 34;

const short = (value) => (value === 0 ? "0" : Math.abs(value) >= 1000 || Math.abs(value) < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3))));

/** curves: [{words, points: [[x, y], …]}, …], at most two; described in words for who does not see it. */
export function chart(title, across, curves) {
  const shown = curves.filter(({ points }) => points.length > 0);
  if (shown.length === 0) return h("p", { class: "quiet" }, "There is nothing to show yet.");
  const all = shown.flatMap(({ points }) => points);
  const [left, right] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const [low, high] = [Math.min(0, ...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
  const place = ([x, y]) => [LEFT + ((x - left) / (right - left || 1)) * (WIDTH - LEFT - 12), 10 + (1 - (y - low) / (high - low || 1)) * (HEIGHT - BOTTOM - 10)];
  const lines = curves.map(({ points }, i) => svg("polyline", { class: i ? "line other" : "line", points: points.map((point) => place(point).map((x) => x.toFixed(1)).join(",")).join(" ") }));
  const ticks = [low, (low + high) / 2, high].map((y) => {
    const [, at] = place([left, y]);
    return [svg("line", { class: "axis", x1: LEFT, x2: WIDTH - 12, y1: at, y2: at }), svg("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, short(y))];
  });
  const feet = [[left, "start"], [right, "end"]].map(([x, anchor]) => svg("text", { x: place([x, low])[0], y: HEIGHT - 14, "text-anchor": anchor }, short(x)));
  const words = shown.map(({ words, points }) => `${words}: from ${short(points[0][1])} to ${short(points.at(-1)[1])}`).join("; ");
  return h("figure", {},
    svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${words}.` },
      ticks, feet, svg("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 14, "text-anchor": "middle" }, across), lines),
    h("figcaption", {}, curves.map(({ words }, i) => h("span", {}, h("span", { class: i ? "key other" : "key", "aria-hidden": "true" }), words, " "))));
}
