// Choosing a picture: a file or the camera, dropped, or pasted.

import { field, h, say } from "./dom.js";
import { send } from "./server.js";

/** A control for a picture: {element, picture(): its name on the server or null, end()}. */
export function pictureChooser() {
  let found = null;
  let shown = null;
  const preview = h("div", {});
  const input = h("input", { type: "file", accept: "image/*", onchange: () => input.files[0] && take(input.files[0]) });
  const element = h("div", { class: "drop" },
    field("A picture: choose a file, drop one here, or paste one", input),
    preview);

  async function take(file) {
    try {
      found = (await send("/api/pictures", file)).picture;
      if (shown) URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(file);
      preview.replaceChildren(h("img", { src: shown, alt: "The picture that is to be painted" }));
      say("the picture is ready");
      element.dispatchEvent(new CustomEvent("picture"));
    } catch (error) {
      say(error.message);
    }
  }
  const over = (event) => {
    event.preventDefault();
    element.classList.toggle("over", event.type === "dragover");
    const file = event.type === "drop" && event.dataTransfer.files[0];
    if (file) take(file);
  };
  for (const type of ["dragover", "dragleave", "drop"]) element.addEventListener(type, over);
  const paste = (event) => {
    const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
    if (file) take(file);
  };
  document.addEventListener("paste", paste);
  return { element, picture: () => found, end: () => document.removeEventListener("paste", paste) };
}
