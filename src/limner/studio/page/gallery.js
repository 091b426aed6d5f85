// The gallery: agents, runs, and what is open.

import { field, h, say, trying } from "./dom.js";
import { get, post, remove } from "./server.js";

/** Open a document, and go there. */
export const go = (name) => (location.hash = `#/desk/${encodeURIComponent(name)}`);

const openFile = async (file) => {
  if (file.size > 16 * 2 ** 20) throw new Error("that file is larger than 16 MiB: no program is");
  const [first, ...more] = (await file.text()).split("\n");
  const lines = file.name.endsWith(".jsonl") ? first : [first, ...more].join("\n");
  go((await post("/api/documents", { program: lines })).document);
};

const agentCard = (agent) =>
  h("li", { class: "card" },
    h("h3", {}, agent.name),
    h("p", {}, `${agent.conditional ? "Draws pictures that it is shown" : "Makes pictures up"}, ${agent.horizon} actions each, world ${agent.world}`),
    h("div", { class: "row tight" },
      h("a", { class: "button", href: `#/draw/${encodeURIComponent(agent.name)}`, "aria-label": `${agent.conditional ? "Let it paint" : "Let it draw"}: ${agent.name}` }, agent.conditional ? "Let it paint" : "Let it draw"),
      h("button", { onclick: trying(async () => go((await post("/api/documents", { blank: agent.name })).document)), "aria-label": `Begin one yourself: ${agent.name}` }, "Begin one yourself")));

export async function open(content) {
  const { agents, runs, documents } = await get("/api/gallery");
  const again = async () => {
    content.replaceChildren();
    await open(content);
  };
  const file = h("input", { type: "file", accept: ".json,.jsonl", onchange: trying(() => file.files[0] && openFile(file.files[0])) });
  content.append(
    documents.length > 0 && h("section", { "aria-label": "Open drawings" },
      h("h2", {}, "Open drawings"),
      h("ul", { class: "cards" }, documents.map((each, i) =>
        h("li", { class: "card" },
          h("h3", {}, each.title || `Drawing ${i + 1}`),
          h("p", {}, `${each.agent || "no agent"}, ${each.facts.length} actions`),
          h("div", { class: "row tight" },
            h("button", { onclick: () => go(each.name), "aria-label": `Show drawing ${i + 1}` }, "Show"),
            h("button", { onclick: trying(async () => {
              await remove(`/api/documents/${each.name}`);
              say("closed");
              await again();
            }), "aria-label": `Close drawing ${i + 1}` }, "Close")))))) || "",
    h("section", { "aria-label": "Agents" },
      h("h2", {}, "Agents"),
      h("ul", { class: "cards" }, agents.filter((agent) => agent.ships).map(agentCard))),
    h("section", { "aria-label": "Agents of runs" },
      h("h2", {}, "Runs in this folder"),
      runs.length === 0
        ? h("p", { class: "quiet" }, "There are none: limner train makes some.")
        : h("ul", { class: "cards" }, agents.filter((agent) => !agent.ships).map(agentCard)),
      runs.length > 0 && h("p", {}, h("a", { href: "#/runs" }, `Curves of ${runs.length} runs`)) || ""),
    h("section", { "aria-label": "Programs" },
      h("h2", {}, "Open a program"),
      h("div", { class: "row" }, field("A program file (.json, or the first of a .jsonl)", file))));
}
