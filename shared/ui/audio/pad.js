// A map with the listener in its middle, seen from above: a click is a place, a stroke is a path.
// `element` is given by gr.HTML; the page reads window.pgPad.told() when it places a sound.
const canvas = element.querySelector("canvas"), told = element.querySelector("[data-pg=told]");
const METRES = 4, STEP = 0.08, MOST = 400; // of half the map; between two points of a path; points
let points = [], drawing = false;

const half = () => canvas.width / 2;
const toMap = ([right, front]) => [half() + (right / METRES) * half(), half() - (front / METRES) * half()];
function toMetres(event) {
  const box = canvas.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width * 2 - 1) * METRES, (1 - (event.clientY - box.top) / box.height * 2) * METRES];
}

function draw() {
  const pen = canvas.getContext("2d"), style = getComputedStyle(canvas), middle = half();
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = "20px sans-serif"; pen.lineWidth = 2;
  pen.strokeStyle = pen.fillStyle = style.getPropertyValue("--body-text-color-subdued") || "gray";
  for (let metres = 1; metres <= 3; metres += 1) {
    pen.beginPath(); pen.arc(middle, middle, (metres / METRES) * middle, 0, 7); pen.globalAlpha = 0.4; pen.stroke();
    pen.globalAlpha = 1; pen.fillText(`${metres} m`, middle + 6, middle - (metres / METRES) * middle - 5);
  }
  pen.textAlign = "center";
  pen.fillText("front", middle, 22); pen.fillText("behind", middle, canvas.height - 8);
  pen.fillText("left", 26, middle - 8); pen.fillText("right", canvas.width - 28, middle - 8);
  pen.textAlign = "start";
  pen.beginPath(); pen.arc(middle, middle, 16, 0, 7); pen.moveTo(middle - 7, middle - 15); // a head with its nose in front
  pen.lineTo(middle, middle - 27); pen.lineTo(middle + 7, middle - 15); pen.stroke();
  if (!points.length) return;
  pen.strokeStyle = pen.fillStyle = style.color; pen.lineWidth = 5; pen.lineCap = pen.lineJoin = "round";
  pen.beginPath(); points.forEach((point, i) => pen[i ? "lineTo" : "moveTo"](...toMap(point))); pen.stroke();
  const [x, y] = toMap(points[0]), [u, v] = toMap(points[points.length - 1]);
  pen.beginPath(); pen.arc(x, y, 9, 0, 7); pen.fill();
  if (points.length > 1) { pen.beginPath(); pen.rect(u - 8, v - 8, 16, 16); pen.fill(); }
}

function say() {
  if (!points.length) told.textContent = said("Click a place, or draw a path: it begins at the dot and ends at the square.");
  else if (points.length === 1) {
    const [right, front] = points[0];
    const azimuth = Math.round(Math.atan2(-right, front) * 180 / Math.PI);
    told.textContent = said("Azimuth {0}°, {1} m", azimuth, Math.hypot(right, front).toFixed(1));
  } else told.textContent = said("A path of {0} points", points.length);
}

canvas.addEventListener("pointerdown", (event) => {
  drawing = true; points = [toMetres(event)];
  canvas.setPointerCapture(event.pointerId); draw(); say(); event.preventDefault();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawing || points.length >= MOST) return;
  const next = toMetres(event), last = points[points.length - 1];
  if (Math.hypot(next[0] - last[0], next[1] - last[1]) < STEP) return;
  points.push(next); draw(); say();
});
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { drawing = false; });
element.querySelector("[data-pg=clear]").addEventListener("click", () => { points = []; draw(); say(); });
window.pgPad = { told: () => JSON.stringify(points.map((point) => point.map((n) => Math.round(n * 1000) / 1000))) };
draw(); say();
