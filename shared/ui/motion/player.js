// A skeleton that moves, seen from a camera that is turned by dragging. `element`, `props` and `watch` are given by
// gr.HTML, whose value is JSON as shared/ui/motion/player.py writes it. A plain canvas, nothing fetched.
const camera = { turn: -0.6, tilt: 0.2 };
let shown = null, at = 0, playing = true, last = 0;

function unpacked(told) {
  const raw = Uint8Array.from(atob(told.places), (character) => character.charCodeAt(0));
  const places = Float32Array.from(new Int16Array(raw.buffer), (n) => n / 1000);
  const joints = told.parents.length, frames = places.length / joints / 3;
  const ends = [0, 1, 2].map((k) => {
    let low = Infinity, high = -Infinity;
    for (let i = k; i < places.length; i += 3) { low = Math.min(low, places[i]); high = Math.max(high, places[i]); }
    return [low, high];
  });
  return { ...told, places, joints, frames, ends };
}

function draw() {
  const canvas = element.querySelector("canvas");
  if (!shown || !canvas?.clientWidth) return;
  const dense = Math.min(devicePixelRatio || 1, 2), wide = canvas.clientWidth, high = canvas.clientHeight;
  canvas.width = wide * dense; canvas.height = high * dense;
  const pen = canvas.getContext("2d"), [x, y, z] = shown.ends, [s, c] = [Math.sin(camera.turn), Math.cos(camera.turn)];
  const [t, d] = [Math.sin(camera.tilt), Math.cos(camera.tilt)];
  const middle = [x, y, z].map(([low, high]) => (low + high) / 2);
  const size = Math.max(Math.hypot(x[1] - x[0], z[1] - z[0]), 1.2 * (y[1] - y[0]), 0.5);
  const scale = 0.85 * Math.min(wide, high) / size;
  const seen = (place) => {
    const [u, v, w] = place.map((n, k) => n - middle[k]), ahead = w * c - u * s;
    return [wide / 2 + scale * (u * c + w * s), high / 2 - scale * (v * d - ahead * t)];
  };
  pen.scale(dense, dense); pen.lineCap = "round";
  const line = (a, b) => { pen.beginPath(); pen.moveTo(...a); pen.lineTo(...b); pen.stroke(); };
  pen.strokeStyle = "rgba(128, 128, 128, 0.35)"; pen.lineWidth = 1; // the ground, in half metres
  const grid = ([low, high]) => [Math.floor(low * 2 - 1) / 2, Math.ceil(high * 2 + 1) / 2], [gx, gz] = [grid(x), grid(z)];
  for (let u = gx[0]; u <= gx[1]; u += 0.5) line(seen([u, y[0], gz[0]]), seen([u, y[0], gz[1]]));
  for (let w = gz[0]; w <= gz[1]; w += 0.5) line(seen([gx[0], y[0], w]), seen([gx[1], y[0], w]));
  const frame = Math.min(Math.floor(at), shown.frames - 1) * shown.joints * 3;
  const joints = shown.parents.map((_, j) => seen(Array.from(shown.places.subarray(frame + j * 3, frame + j * 3 + 3))));
  pen.strokeStyle = pen.fillStyle = "rgb(30, 140, 128)"; pen.lineWidth = 5;
  shown.parents.forEach((parent, j) => { if (parent >= 0) line(joints[parent], joints[j]); });
  for (const joint of joints) { pen.beginPath(); pen.arc(...joint, 4, 0, 7); pen.fill(); }
  element.querySelector("input").value = Math.floor(at);
  element.querySelector("span").textContent = `${(at / shown.fps).toFixed(1)} s`;
}

function tick(now) {
  if (!element.isConnected || !shown) { last = 0; return; }
  if (playing && last) at = (at + Math.min(now - last, 200) / 1000 * shown.fps) % shown.frames;
  last = now; draw();
  requestAnimationFrame(tick);
}

function show() {
  const place = element.querySelector("[data-pg=motion]"), going = shown !== null;
  place.replaceChildren(); shown = null;
  if (!props.value) return;
  shown = unpacked(JSON.parse(props.value)); at = 0;
  const canvas = document.createElement("canvas"), row = document.createElement("div"), button = document.createElement("button");
  const slider = document.createElement("input"), time = document.createElement("span");
  canvas.tabIndex = 0; canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", said("A skeleton that moves, to be turned by dragging or by arrow keys"));
  row.className = "pg-motion-row"; button.type = "button";
  const named = () => { button.textContent = playing ? said("Pause") : said("Play"); };
  named();
  button.addEventListener("click", () => { playing = !playing; named(); });
  Object.assign(slider, { type: "range", min: 0, max: shown.frames - 1, step: 1 });
  slider.setAttribute("aria-label", said("Frame"));
  slider.addEventListener("input", () => { playing = false; named(); at = Number(slider.value); });
  row.append(button, slider, time); place.append(canvas, row);
  let from = null;
  const turn = (u, v) => { camera.turn += u; camera.tilt = Math.max(-0.2, Math.min(1.5, camera.tilt + v)); };
  canvas.addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    turn((event.clientX - from[0]) * 0.01, (event.clientY - from[1]) * 0.01); from = [event.clientX, event.clientY];
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { from = null; });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[event.key];
    if (step) { turn(...step); event.preventDefault(); }
  });
  if (!going) requestAnimationFrame(tick);
}

watch("value", show);
show();
