// Moves the line of a piano roll along with the sound that plays it. A roll says in `data-seconds` how long it is.
const rollsOf = (audio) => {
  const beside = audio.closest(".pg-tune") || document.querySelectorAll(".pg-follows");
  const places = beside instanceof Element ? [beside] : audio.closest("#compose-sound") ? [...beside] : [];
  return places.flatMap((place) => [...place.querySelectorAll("svg[data-seconds]")]);
};

function show(audio) {
  for (const svg of rollsOf(audio)) {
    const { seconds, from, to } = svg.dataset, line = svg.querySelector("[data-now]");
    const share = Math.min(1, audio.currentTime / Number(seconds)), x = Number(from) + share * (Number(to) - Number(from));
    line.setAttribute("visibility", share < 1 ? "visible" : "hidden");
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    keepInSight(svg, x);
  }
  if (!audio.paused) requestAnimationFrame(() => show(audio));
}

function keepInSight(svg, x) {
  const box = svg.closest(".pg-scroll"), at = (x / svg.viewBox.baseVal.width) * svg.clientWidth;
  if (at < box.scrollLeft || at > box.scrollLeft + 0.9 * box.clientWidth) box.scrollLeft = at - 0.1 * box.clientWidth;
}

// Events of media don't bubble, but are seen on their way down.
for (const name of ["play", "seeked"]) {
  document.addEventListener(name, (event) => { if (event.target.tagName === "AUDIO") show(event.target); }, true);
}

// While a long piece grows, its newest bar is kept in sight; then its beginning. `element` is given by gr.HTML.
new MutationObserver(() => {
  const svg = element.querySelector("svg[data-seconds]");
  if (!svg) return;
  const to = Number(svg.dataset.to);
  if (to < svg.viewBox.baseVal.width - 1) keepInSight(svg, to);
  else svg.closest(".pg-scroll").scrollLeft = 0;
}).observe(element, { childList: true, subtree: true });
