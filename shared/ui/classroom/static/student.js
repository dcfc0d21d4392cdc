// On every Space's page of a class: who one is, what the teacher set, and what they sent.
(() => {
  const said = window.said;
  const root = new URL("../..", document.currentScript.src).pathname.replace(/\/$/, ""); // where the server is found
  const make = (tag, id, text) => { const node = document.createElement(tag); if (id) node.id = id; if (text) node.textContent = text; return node; };
  const strip = make("div", "class-strip"), card = make("div", "class-card"), veil = make("div", "class-veil", said("Look up: the teacher has frozen the screens"));
  strip.setAttribute("role", "status"); veil.setAttribute("role", "alert"); card.setAttribute("role", "dialog"); card.setAttribute("aria-label", said("From the teacher"));
  card.hidden = veil.hidden = strip.hidden = true;
  const number = (n, digits) => n.toLocaleString(`${document.documentElement.lang}-u-nu-latn`, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const whole = (n) => number(Math.round(n), 0);
  const UNITS = { money: (n) => said("${0} left", number(n, 2)), tokens: (n) => (n === 1 ? said("1 token left") : said("{0} tokens left", whole(n))), images: (n) => (n === 1 ? said("1 picture left") : said("{0} pictures left", whole(n))), gpu_seconds: (n) => said("{0} s of work left", whole(n)) };
  let put = "";

  function show(told) {
    strip.hidden = false;
    veil.hidden = !told.frozen;
    strip.replaceChildren(make("b", "", told.teacher ? said("You are the teacher") : told.name));
    const link = (href, text) => { const a = make("a", "", text); a.href = href; strip.append(a); };
    link(`${root}/`, said("Playgrounds")); link(`${root}/class/wall`, told.poll && told.poll.open ? said("The wall: vote now") : said("The wall"));
    if (told.teacher) { link(`${root}/class/desk`, said("The desk")); return; }
    for (const [unit, left] of Object.entries(told.left || {})) strip.append(make("span", "", UNITS[unit](Math.max(0, left))));
    if (told.paused) strip.append(Object.assign(make("span", "", said("The teacher has paused the class")), { className: "class-alert" }));
    if (told.muted) strip.append(Object.assign(make("span", "", said("You are muted")), { className: "class-alert" }));
    strip.append(make("span", "", said("Your teacher sees what you run and what comes of it")));
    pushed(told.pushed || {});
  }

  function pushed(sent) {
    if (!sent.id || sent.id === put || sent.id === sessionStorage.getItem("class-put")) { card.hidden = card.hidden || !sent.id; return; }
    put = sent.id;
    const copy = make("button", "", said("Copy")), away = make("button", "", said("Close"));
    copy.onclick = () => navigator.clipboard?.writeText(sent.text).then(() => { copy.textContent = said("Copied"); });
    away.onclick = () => { card.hidden = true; sessionStorage.setItem("class-put", sent.id); };
    card.replaceChildren(make("b", "", said("From your teacher")));
    if (sent.text) card.append(Object.assign(make("pre", "", sent.text), { dir: "auto" }), copy);
    if (sent.lesson) { const title = make("p", "", ""); title.append(make("b", "", sent.lesson)); card.append(title); }
    if (sent.link && (sent.lesson || location.pathname !== sent.space)) {
      const a = make("a", "", sent.lesson ? said("Begin the lesson") : said("Open the playground"));
      a.href = sent.link;
      a.onclick = () => away.onclick();
      card.append(a);
    }
    card.append(away);
    card.hidden = false;
  }

  async function follow() {
    let version = "", wait = 1;
    for (;;) {
      try {
        const answer = await fetch(`${root}/class/api/me?after=${version}`);
        if (answer.status === 401) { location.href = `${root}/join`; return; }
        if (!answer.ok) throw new Error();
        const told = await answer.json();
        show(told);
        if (told.teacher) return;
        version = told.version; wait = 1;
      } catch {
        await new Promise((done) => setTimeout(done, 1000 * (wait + Math.random())));
        wait = Math.min(wait * 2, 15);
      }
    }
  }
  // The strip takes several lines on a phone: nothing lies under it.
  const above = new ResizeObserver(() => {
    card.style.bottom = `${strip.offsetHeight + 10}px`;
    document.body.style.paddingBottom = `${strip.offsetHeight}px`;
  });
  const start = () => { document.body.append(strip, card, veil); above.observe(strip); follow(); };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
})();
