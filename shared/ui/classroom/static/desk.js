// The teacher's desk: draws what is told, and sends what the teacher does.
import { send, follow, make, drawn, redraw, said, number, listed } from "./class.js";
const at = (id) => document.getElementById(id);
const UNITS = { money: said("dollars"), gpu_seconds: said("seconds of work"), images: said("pictures"), tokens: said("tokens") };
const SPENT = {
  money: (n) => `$${number(n, 4)}`,
  gpu_seconds: (n) => (Math.round(n) === 1 ? said("1 second of work") : said("{0} seconds of work", number(n))),
  images: (n) => (n === 1 ? said("1 picture") : said("{0} pictures", number(n))),
  tokens: (n) => (n === 1 ? said("1 token") : said("{0} tokens", number(n))),
};
const chosen = new Set();
let told = null;

async function act(what, sent = {}) {
  at("trouble").textContent = "";
  try { await send(`/class/api/desk/${what}`, sent); return true; }
  catch (error) { at("trouble").textContent = error.message; return false; }
}

const spending = (spent) => listed(Object.entries(spent).filter(([, b]) => b.spent || b.reserved).map(([unit, b]) => SPENT[unit](b.spent))) || "—";

function person(p) {
  const now = p.running ? said("running") : p.waiting ? said("waiting ({0})", p.waiting) : p.here ? said("here") : said("away");
  const button = (text, sent, extra = {}) => make("button", { onclick: () => act("person", { id: p.id, ...sent }), ...extra }, text);
  return make("tr", {}, make("td", {}, make("bdi", {}, p.name)), make("td", {}, now), make("td", { class: "num" }, spending(p.spent)),
    make("td", {}, make("div", { class: "row" },
      button(p.muted ? said("Unmute") : said("Mute"), { muted: !p.muted }),
      make("button", { onclick: () => { const name = prompt(said("Another name for them"), p.name); if (name != null) act("person", { id: p.id, name }); } }, said("Rename")),
      make("button", { class: "danger", onclick: () => { if (confirm(said("Remove {0}? They can join again only with a code.", p.name))) act("person", { id: p.id, removed: true }); } }, said("Remove")))));
}

function work(w) {
  const node = drawn(w, make("div", { class: "row" },
    make("button", { "aria-pressed": String(w.state === "shown"), onclick: () => act("work", { id: w.id, state: w.state === "shown" ? "hidden" : "shown" }) }, w.state === "shown" ? said("On the wall") : said("Hang up")),
    make("button", { "aria-pressed": String(told.facts.shown === w.id), onclick: () => act("show", { id: told.facts.shown === w.id ? "" : w.id }) }, said("Projector")),
    make("button", { "aria-pressed": String(chosen.has(w.id)), onclick: () => { chosen.has(w.id) ? chosen.delete(w.id) : chosen.add(w.id); show(); } }, said("Choose")),
    make("button", { class: "danger", onclick: () => { if (confirm(said("Delete this work?"))) act("work", { id: w.id, state: "gone" }); } }, said("Delete"))));
  if (chosen.has(w.id)) node.dataset.chosen = "";
  return node;
}

const option = (value, text) => make("option", { value }, text);
function lessons() {
  const place = told.places.find((each) => each.path === at("space").value);
  at("lesson").replaceChildren(option("", said("none")), ...(place?.lessons ?? []).map((each) => option(each.key, each.title)));
  at("lesson").disabled = !place?.lessons.length;
}
function places() { // once: the server's playgrounds are the same until it is started again
  if (at("space").options.length > 1) return;
  at("space").append(...told.places.map((each) => option(each.path, each.name)));
  if (told.places.length === 1) at("space").value = told.places[0].path;
  lessons();
}

const called = (who) => (who.teacher ? said("the teacher") : who.name ?? said("somebody who left"));
const queue = (q) => make("div", {}, make("h3", {}, q.lane), make("p", {}, said("Running: {0}", listed(q.running.map(called)) || said("nobody"))), make("p", {}, said("Waiting: {0}", listed(q.waiting.map(called)) || said("nobody"))));

function fill(id, text) { if (document.activeElement !== at(id)) at(id).value = text; }

function show() {
  const { facts } = told;
  at("code").textContent = facts.code;
  at("count").textContent = said("{0} here", number(told.people.length));
  for (const button of document.querySelectorAll("[data-switch]")) {
    const on = facts[button.dataset.switch];
    button.setAttribute("aria-pressed", String("off" in button.dataset ? !on : on));
  }
  at("guessed").hidden = !told.guessed;
  if (told.guessed) at("guessed").textContent = said("At least {0} wrong codes were typed within the last minute. A new code can be made; who is in stays in.", number(told.guessed));
  redraw(at("people"), told.people, (p) => p, person);
  at("queues").replaceChildren(...(told.queues.length ? told.queues.map(queue) : [make("p", { class: "soft" }, said("Nobody runs or waits."))]));
  redraw(at("works"), told.works, (w) => [w, facts.shown === w.id, chosen.has(w.id)], work);
  places();
  at("ask").disabled = chosen.size < 2;
  at("endask").hidden = !facts.poll.open;
  const rows = Object.entries(UNITS).map(([unit, words]) => make("tr", { "data-unit": unit }, make("td", {}, words),
    make("td", {}, make("input", { type: "number", min: "0", step: "any", "aria-label": said("{0}, everybody", words), value: facts.caps[unit] ?? "" })),
    make("td", {}, make("input", { type: "number", min: "0", step: "any", "aria-label": said("{0}, each", words), value: facts.own[unit] ?? "" })),
    make("td", { class: "num" }, told.spent[unit] ? (unit === "money" ? SPENT.money(told.spent[unit].spent) : number(told.spent[unit].spent)) : "—")));
  if (!at("budgets").contains(document.activeElement)) at("budgets").replaceChildren(...rows);
  fill("models", facts.models.join(", "));
  fill("parameters", Object.entries(facts.parameters).map(([name, value]) => `${name}=${value}`).join(", "));
  fill("blocked", facts.blocked.join(", "));
  fill("safety", facts.safety);
}

const typed = (id) => at(id).value.split(/[,;，、،؛；]/).map((each) => each.trim()).filter(Boolean); // a comma as each language has it
const value = (text) => (text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text === "true" ? true : text === "false" ? false : text);
const caps = (column) => Object.fromEntries([...at("budgets").rows].map((row) => [row.dataset.unit, row.cells[column].querySelector("input").value]).filter(([, v]) => v !== ""));

for (const button of document.querySelectorAll("[data-switch]")) button.addEventListener("click", async () => {
  const { switch: name } = button.dataset, next = !told.facts[name];
  if (await act("set", { [name]: next })) { told.facts[name] = next; show(); } // at once: the next click turns it back
});
at("newcode").addEventListener("click", () => act("code"));
at("push").addEventListener("click", () => act("push", { text: at("text").value, space: at("space").value, lesson: at("lesson").value }));
at("space").addEventListener("change", lessons);
at("unpush").addEventListener("click", () => act("push", { text: "" }));
at("ask").addEventListener("click", async () => {
  const usual = said("Which is better?"), asked = prompt(said("What is asked?"), usual) || usual;
  await act("poll", { works: [...chosen], question: asked === usual ? "" : asked }); // the usual one each sees in their language
  chosen.clear();
});
at("endask").addEventListener("click", () => act("end-poll"));
at("caps").addEventListener("click", () => act("set", { caps: caps(1), own: caps(2) }));
at("reset").addEventListener("click", () => { if (confirm(said("Count everybody's spending from nothing?"))) act("reset"); });
at("rules").addEventListener("click", () => act("set", { models: typed("models"), blocked: typed("blocked"), safety: at("safety").value,
  parameters: Object.fromEntries(typed("parameters").map((each) => each.split(/[=＝]/).map((part) => part.trim())).filter((pair) => pair.length === 2).map(([n, v]) => [n, value(v)])) }));
at("delete").addEventListener("click", () => { if (confirm(said("Delete everybody, all works and all budgets of this class? This can't be taken back."))) act("delete", { sure: true }); });
follow("/class/api/desk", (news) => { told = news; show(); }, () => location.reload());
