// Elements in one line each.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (element instanceof HTMLElement && name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element: h("p", {class: "quiet"}, "words"). */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** An SVG element. */
export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

let fields = 0;

/** A labelled control. */
export function field(words, control) {
  control.id ||= `field-${(fields += 1)}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, words), control);
}

/** A choice of one of [value, words]. */
export function choice(options, properties, chosen) {
  const select = h("select", properties, options.map(([value, words]) => h("option", { value }, words)));
  if (chosen !== undefined) select.value = chosen;
  return select;
}

export const number = (properties) => h("input", { type: "number", ...Object.fromEntries(Object.entries(properties).map(([k, v]) => [k, typeof v === "number" ? String(v) : v])) });

/** The number in a field, null where it is empty. */
export const read = (input) => (input.value === "" ? null : Number(input.value));

/** Tell a person, on the screen and through a screen reader. */
export function say(text) {
  document.getElementById("status").textContent = text;
  clearTimeout(say.timer);
  if (text) say.timer = setTimeout(() => say(""), 8000);
}

/** A handler that says what goes wrong. */
export const trying = (work) => async (event) => {
  try {
    await work(event);
  } catch (error) {
    say(error.message);
  }
};
