// The player of a sound that is still being made: it fetches pieces, plays each after the one before by Web Audio,
// and draws waveform and mel spectrogram as they come. `element` and `server` are given by gr.HTML.
const COLUMNS = 1200, BANDS = 64, WINDOW = 1024, LEAD = 0.06;
const find = (name) => element.querySelector(`[data-pg=${name}]`);
const [wave, mel, caption, clock, pause, play] = ["wave", "mel", "caption", "clock", "pause", "play"].map(find);
let context = null, analyser = null, state = null;

const fresh = () => ({
  run: "", ended: false, stopped: false, rate: 0, samples: 0, began: null, next: 0, sources: [], words: [], paused: false,
  // Both pictures have a fixed number of columns; when they are full, neighbours are merged and each spans twice as much.
  span: 128, low: [], high: [], tail: new Float32Array(0), bands: [], left: new Float32Array(0), hop: 256, filters: null,
});

function begin() {
  halt();
  element.querySelector(".pg-player").classList.add("pg-begun");
  state = fresh();
  state.run = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2).padStart(32, "0");
  if (play.checked) { sounding(); context.resume(); pause.textContent = said("Pause"); }
  fetchAll(state);
  return state.run;
}

function sounding() {
  if (!context) {
    context = new AudioContext();
    analyser = context.createAnalyser();
    analyser.connect(context.destination);
  }
}

function halt() {
  if (!state) return;
  state.stopped = true;
  state.sources.forEach((source) => { try { source.stop(); } catch (error) { /* not begun yet */ } });
}

async function fetchAll(mine) {
  let at = 0, unknown = 0;
  while (!mine.ended && mine === state && unknown < 20) {
    let told;
    try { told = await server.listen({ run: mine.run, at }); } catch (error) { break; }
    unknown = told.known ? 0 : unknown + 1;
    at = told.at;
    for (const piece of told.pieces) if (mine === state) take(mine, piece);
    mine.ended = told.done;
  }
  mine.ended = true;
}

function take(mine, piece) {
  const raw = Uint8Array.from(atob(piece.pcm), (character) => character.charCodeAt(0));
  const whole = new Int16Array(raw.buffer, 0, raw.length >> 1);
  const samples = Float32Array.from({ length: whole.length / piece.channels }, (_, i) => whole[i * piece.channels] / 32767);
  mine.rate = piece.rate;
  mine.words.push(...piece.words);
  if (!samples.length) return;
  mine.samples += samples.length;
  outline(mine, samples);
  spectrum(mine, samples);
  if (play.checked && !mine.stopped) schedule(mine, samples);
  if (!mine.drawing) { mine.drawing = true; requestAnimationFrame(() => frame(mine)); }
}

function schedule(mine, samples) {
  sounding();
  const buffer = context.createBuffer(1, samples.length, mine.rate);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(analyser);
  const at = Math.max(mine.next, context.currentTime + LEAD);
  if (mine.began === null) mine.began = at;
  else if (at > mine.next + 0.001) mine.began += at - mine.next; // the engine was slower than the ear: a gap
  source.start(at);
  mine.next = at + buffer.duration;
  mine.sources.push(source);
  source.onended = () => { mine.sources = mine.sources.filter((each) => each !== source); };
}

function joined(one, other) {
  const both = new Float32Array(one.length + other.length);
  both.set(one); both.set(other, one.length);
  return both;
}

function outline(mine, samples) {
  const all = joined(mine.tail, samples);
  let at = 0;
  while (at + mine.span <= all.length) {
    let low = 0, high = 0;
    for (let i = at; i < at + mine.span; i++) { low = Math.min(low, all[i]); high = Math.max(high, all[i]); }
    mine.low.push(low); mine.high.push(high);
    at += mine.span;
    if (mine.low.length === COLUMNS) {
      const pairs = [...Array(COLUMNS / 2).keys()];
      mine.low = pairs.map((i) => Math.min(mine.low[2 * i], mine.low[2 * i + 1]));
      mine.high = pairs.map((i) => Math.max(mine.high[2 * i], mine.high[2 * i + 1]));
      mine.span *= 2;
    }
  }
  mine.tail = all.slice(at);
}

// Triangular filters at even steps of the mel scale: mel = 2595 log10(1 + f / 700) (O'Shaughnessy 1987).
function filters(rate) {
  const toMel = (f) => 2595 * Math.log10(1 + f / 700), toHertz = (m) => 700 * (10 ** (m / 2595) - 1);
  const top = toMel(Math.min(8000, rate / 2)), low = toMel(60);
  const edges = [...Array(BANDS + 2).keys()].map((i) => (toHertz(low + ((top - low) * i) / (BANDS + 1)) * WINDOW) / rate);
  return [...Array(BANDS).keys()].map((band) => {
    const [from, middle, to] = edges.slice(band, band + 3), weights = [];
    for (let bin = Math.max(1, Math.floor(from)); bin <= Math.min(WINDOW / 2, Math.ceil(to)); bin++) {
      const weight = Math.min((bin - from) / (middle - from || 1), (to - bin) / (to - middle || 1));
      if (weight > 0) weights.push([bin, weight]);
    }
    return weights.length ? weights : [[Math.round(middle), 1]];
  });
}

function spectrum(mine, samples) {
  if (!mine.filters) mine.filters = filters(mine.rate);
  const all = joined(mine.left, samples);
  let at = 0;
  for (; at + WINDOW <= all.length; at += mine.hop) {
    mine.bands.push(column(all.subarray(at, at + WINDOW), mine.filters));
    if (mine.bands.length === COLUMNS) {
      mine.bands = mine.bands.filter((_, i) => i % 2 === 0);
      mine.hop *= 2;
    }
  }
  mine.left = all.slice(Math.min(at, all.length));
}

const hann = Float32Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));

function column(samples, bands) {
  const re = samples.map((value, i) => value * hann[i]), im = new Float32Array(WINDOW);
  transform(re, im);
  return bands.map((weights) => {
    const power = weights.reduce((sum, [bin, weight]) => sum + weight * (re[bin] ** 2 + im[bin] ** 2), 0);
    return Math.max(0, Math.min(1, (10 * Math.log10(power / WINDOW + 1e-9) + 55) / 65));
  });
}

// The fast Fourier transform in place, radix 2 (Cooley and Tukey 1965).
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let size = 2; size <= n; size *= 2) {
    const turn = (-2 * Math.PI) / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < size / 2; k++) {
        const c = Math.cos(turn * k), s = Math.sin(turn * k), a = start + k, b = a + size / 2;
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y; re[a] += x; im[a] += y;
      }
    }
  }
}

const heard = (mine) => (mine.began === null || !context ? 0 : Math.max(0, Math.min(context.currentTime, mine.next) - mine.began));

function frame(mine) {
  if (mine !== state || !element.isConnected) return;
  const total = mine.samples / (mine.rate || 1), at = heard(mine);
  drawWave(mine, total, at);
  drawMel(mine, total);
  const time = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  clock.textContent = said("{0} of {1}", time(at), time(total));
  told(mine, at);
  const going = !mine.ended || (mine.sources.length > 0 && !mine.stopped);
  if (going) setTimeout(() => requestAnimationFrame(() => frame(mine)), 60);
}

function drawWave(mine, total, at) {
  const draw = wave.getContext("2d"), { width, height } = wave;
  draw.clearRect(0, 0, width, height);
  draw.fillStyle = getComputedStyle(wave).color;
  const count = Math.max(mine.low.length, 1), shown = (mine.low.length * mine.span) / (mine.samples || 1);
  for (let i = 0; i < mine.low.length; i++) {
    const top = (1 - mine.high[i]) * 0.5 * height, bottom = (1 - mine.low[i]) * 0.5 * height;
    draw.fillRect((i / count) * width * shown, top, Math.max(1, (width * shown) / count), Math.max(1, bottom - top));
  }
  if (mine.began !== null && total) { draw.fillStyle = "#e07b39"; draw.fillRect((at / total) * width - 1, 0, 2, height); }
}

function drawMel(mine, total) {
  if (!mine.bands.length) return;
  const picture = new ImageData(mine.bands.length, BANDS);
  mine.bands.forEach((bands, x) => bands.forEach((level, band) => {
    const place = 4 * ((BANDS - 1 - band) * mine.bands.length + x);
    picture.data.set([255 * level ** 1.6, 40 + 190 * level, 60 + 110 * Math.sin(Math.PI * level), 255], place);
  }));
  const small = new OffscreenCanvas(mine.bands.length, BANDS);
  small.getContext("2d").putImageData(picture, 0, 0);
  const draw = mel.getContext("2d"), covered = (mine.bands.length * mine.hop) / mine.rate / (total || 1);
  draw.clearRect(0, 0, mel.width, mel.height);
  draw.drawImage(small, 0, 0, mel.width * Math.min(1, covered), mel.height);
}

function told(mine, at) {
  const now = mine.words.findIndex(([, start, end]) => start <= at && at < end);
  if (now < 0 && mine.sources.length) return;
  const from = Math.max(0, now - 5);
  caption.replaceChildren(...(now < 0 ? [] : mine.words.slice(from, now + 7)).map(([text], i) => {
    const word = document.createElement(from + i === now ? "b" : "span");
    word.textContent = `${text} `;
    return word;
  }));
}

pause.addEventListener("click", () => {
  if (!context) return;
  const running = context.state === "running";
  if (running) context.suspend(); else context.resume();
  pause.textContent = running ? said("Go on") : said("Pause");
});
play.addEventListener("change", () => { if (!play.checked) halt(); });

// The level of what really leaves for the loudspeaker now, and how far the pictures are: for those who measure.
const level = () => {
  if (!analyser) return 0;
  const values = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(values);
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
};
window.pgSpeech = { begin, stop: halt, level, told: () => state && { seconds: state.samples / (state.rate || 1),
  heard: heard(state), columns: state.bands.length, ended: state.ended, words: state.words.length } };
