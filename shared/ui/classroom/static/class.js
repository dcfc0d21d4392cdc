// What the class's pages share: asking the server, waiting for news, and drawing without ever writing HTML.
export const said = window.said;
// The path under which the server is found: this file lies at a place of it that is known.
export const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const locale = document.documentElement.lang;
// In the page's language, and in the digits that every other number on it has.
export const number = (value, digits = 0) => value.toLocaleString(`${locale}-u-nu-latn`, { minimumFractionDigits: digits, maximumFractionDigits: digits });
// Names and figures with commas between, each in its own direction whatever stands around it.
const COMMAS = { ar: "، ", ja: "、", zh: "、" };
export const listed = (items) => items.map((each) => `\u2068${each}\u2069`).join(COMMAS[locale.slice(0, 2)] ?? ", ");

export async function send(path, given) {
  const answer = await fetch(root + path, { method: "POST", body: JSON.stringify(given), headers: { "content-type": "application/json" } });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error || said("The server did not answer as it should. Try again."));
  return told;
}

export async function follow(path, show, failed = () => {}) {
  let version = "";
  for (let wait = 1; ; ) {
    try {
      const answer = await fetch(`${root}${path}?after=${encodeURIComponent(version)}`);
      if (answer.status === 401 || answer.status === 403) return failed(answer.status);
      if (!answer.ok) throw new Error(String(answer.status));
      const told = await answer.json();
      if (told.version !== version || !version) show(told);
      version = told.version;
      wait = 1;
      if (!version) return;
    } catch (error) {
      await new Promise((done) => setTimeout(done, 1000 * (wait + Math.random()))); // not all at once
      wait = Math.min(wait * 2, 15);
    }
  }
}

export function make(tag, given = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...inside.filter((each) => each != null));
  return node;
}

// Draws works into their place. What didn't change stays as it is, so that a clip goes on playing.
export function redraw(place, works, key, draw) {
  const kept = (place.kept ??= new Map());
  const nodes = works.map((work) => {
    const now = JSON.stringify(key(work));
    const node = kept.get(work.id)?.now === now ? kept.get(work.id).node : draw(work);
    kept.set(work.id, { now, node });
    return node;
  });
  nodes.forEach((node, n) => { if (place.children[n] !== node) place.insertBefore(node, place.children[n] || null); });
  while (place.children.length > nodes.length) place.lastChild.remove();
}

const WAYS = {
  image: (work) => make("img", { src: work.url, alt: work.prompt || said("a picture"), loading: "lazy" }),
  audio: (work) => make("audio", { src: work.url, controls: true, preload: "none", "aria-label": work.prompt || said("a sound") }),
  video: (work) => make("video", { src: work.url, controls: true, loop: true, muted: true, preload: "metadata", "aria-label": work.prompt || said("a clip") }),
  text: (work) => {
    const quote = make("blockquote", { tabindex: "0", dir: "auto" }, "…");
    fetch(work.url).then((answer) => (answer.ok ? answer.text() : said("It is gone."))).then((text) => { quote.textContent = text.slice(0, 4000); });
    return quote;
  },
  model: (work) => make("a", { class: "button", href: work.url }, said("A 3D thing: save it")),
};

export function drawn(work, ...more) {
  const way = WAYS[work.media_type.split("/")[0]] || WAYS.model;
  const by = work.by === null ? said("by somebody who left") : work.by && said("by {0}", work.by);
  const known = [by, work.model, work.seed != null && said("seed {0}", work.seed)].filter(Boolean);
  const about = known.flatMap((each, at) => [at ? " · " : "", make("bdi", {}, each)]);
  return make("article", { class: "work", "data-id": work.id }, way(work),
    make("div", {}, make("h3", { dir: "auto" }, work.prompt.slice(0, 160) || said("Without words")), make("p", { class: "soft" }, ...(known.length ? about : [said("Who and what made it is told after the vote")])), ...more));
}
