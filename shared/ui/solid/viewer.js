// Solids side by side, turned together: one camera for all. `element`, `props` and `watch` are given by gr.HTML, whose
// value is JSON: a list of solids as shared/ui/solid/viewer.py writes them. WebGL alone, nothing fetched.
const STYLES = [["textured", said("Texture")], ["clay", said("Clay")], ["normals", said("Normals")], ["wireframe", said("Wireframe")]];
const VERTEX = `
attribute vec3 place, normal, colour; attribute vec2 uv;
uniform mat3 turned; uniform vec2 scale;
varying vec3 facing, own, seen; varying vec2 at;
void main() {
  seen = turned * place;
  facing = turned * normal; own = colour; at = uv;
  gl_Position = vec4(seen.xy * scale, -seen.z * 0.4, 1.0);
}`;
const FRAGMENT = `
#extension GL_OES_standard_derivatives : enable
precision highp float;
varying vec3 facing, own, seen; varying vec2 at;
uniform int style; uniform bool worn, bumpy, shaded; uniform sampler2D texture, bumps, shade;
// The normal that a bump tells: its picture's directions across and up, laid on the surface, are found by how place and
// picture change from one pixel of the screen to the next.
vec3 bent(vec3 out_) {
  vec3 right = dFdx(seen), down = dFdy(seen); vec2 a = dFdx(at), b = dFdy(at);
  vec3 one = cross(down, out_), other = cross(out_, right);
  vec3 across = one * a.x + other * b.x, up = one * a.y + other * b.y;
  float most = max(dot(across, across), dot(up, up));
  vec3 told = texture2D(bumps, at).rgb * 2.0 - 1.0;
  return most > 0.0 ? normalize((across * told.x + up * told.y) * inversesqrt(most) + out_ * told.z) : out_;
}
void main() {
  vec3 normal = normalize(facing);
  if (bumpy) normal = bent(normal);
  if (style == 2) { gl_FragColor = vec4(normal * 0.5 + 0.5, 1.0); return; }
  if (style == 4) { gl_FragColor = vec4(0.05, 0.5, 0.46, 1.0); return; }
  vec3 colour = style == 1 || style == 3 ? vec3(0.80, 0.78, 0.74) : worn ? texture2D(texture, at).rgb : own;
  float light = 0.45 * (shaded ? texture2D(shade, at).r : 1.0) + 0.55 * max(dot(normal, normalize(vec3(0.35, 0.55, 0.76))), 0.0);
  gl_FragColor = vec4(colour * light, 1.0);
}`;
const camera = { turn: -0.5, tilt: 0.25, zoom: 1 };
let views = [], style = "textured", wanted = false;

const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function unpacked(solid) {
  const places = Float32Array.from(new Int16Array(bytes(solid.places).buffer), (n) => n / 32767);
  const faces = new Uint32Array(bytes(solid.faces).buffer);
  const uv = solid.uv ? Float32Array.from(new Uint16Array(bytes(solid.uv).buffer), (n) => n / 65535) : null;
  const colours = solid.colours ? Float32Array.from(bytes(solid.colours), (n) => n / 255) : new Float32Array(places.length).fill(0.7);
  const seams = solid.seams ? new Uint32Array(bytes(solid.seams).buffer) : null;
  return { places, faces, uv, colours, normals: normalsOf(places, faces, seams), lines: linesOf(faces) };
}

// `seams`: which vertices are one, doubled only where the texture is cut.
function normalsOf(places, faces, seams) {
  const sums = new Float32Array(places.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [faces[f] * 3, faces[f + 1] * 3, faces[f + 2] * 3];
    const u = [0, 1, 2].map((k) => places[b + k] - places[a + k]), v = [0, 1, 2].map((k) => places[c + k] - places[a + k]);
    const cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    for (const corner of [a, b, c]) for (let k = 0; k < 3; k += 1) sums[(seams ? seams[corner / 3] * 3 : corner) + k] += cross[k];
  }
  return seams ? sums.map((_, n) => sums[seams[(n / 3) | 0] * 3 + n % 3]) : sums; // the shader brings them to length 1
}

function linesOf(faces) {
  const lines = new Uint32Array(faces.length * 2);
  for (let f = 0, at = 0; f < faces.length; f += 3) {
    for (let k = 0; k < 3; k += 1) { lines[at] = faces[f + k]; lines[at + 1] = faces[f + (k + 1) % 3]; at += 2; }
  }
  return lines;
}

function opened(canvas, solid) {
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
  if (!gl || !gl.getExtension("OES_element_index_uint") || !gl.getExtension("OES_standard_derivatives")) return null;
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source); gl.compileShader(shader); gl.attachShader(program, shader);
  }
  gl.linkProgram(program); gl.useProgram(program); gl.enable(gl.DEPTH_TEST); gl.clearColor(1, 1, 1, 1);
  const mesh = unpacked(solid);
  const fill = (name, data, width) => {
    const where = gl.getAttribLocation(program, name);
    if (where < 0 || !data) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer()); gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(where); gl.vertexAttribPointer(where, width, gl.FLOAT, false, 0, 0);
  };
  fill("place", mesh.places, 3); fill("normal", mesh.normals, 3); fill("colour", mesh.colours, 3); fill("uv", mesh.uv, 2);
  const listed = (data) => {
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer); gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, data, gl.STATIC_DRAW);
    return { buffer, count: data.length };
  };
  const view = { canvas, gl, program, faces: listed(mesh.faces), lines: listed(mesh.lines), worn: false, bumpy: false, shaded: false };
  [["texture", "worn"], ["bumps", "bumpy"], ["shade", "shaded"]].forEach(([name, flag], unit) => {
    gl.uniform1i(gl.getUniformLocation(program, name), unit);
    if (!solid[name] || !mesh.uv) return;
    const picture = new Image();
    picture.onload = () => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, picture);
      for (const [name, value] of [["MIN_FILTER", gl.LINEAR], ["MAG_FILTER", gl.LINEAR], ["WRAP_S", gl.CLAMP_TO_EDGE], ["WRAP_T", gl.CLAMP_TO_EDGE]]) {
        gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], value);
      }
      view[flag] = true; soon();
    };
    picture.src = solid[name];
  });
  return view;
}

function draw(view) {
  const { gl, program, canvas } = view, side = canvas.clientWidth * Math.min(devicePixelRatio || 1, 2), high = canvas.clientHeight / canvas.clientWidth;
  if (!side) return; // not to be seen now
  canvas.width = side; canvas.height = side * high;
  gl.viewport(0, 0, canvas.width, canvas.height); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  const [s, c, t, d] = [Math.sin(camera.turn), Math.cos(camera.turn), Math.sin(camera.tilt), Math.cos(camera.tilt)];
  const uniform = (name) => gl.getUniformLocation(program, name);
  gl.uniformMatrix3fv(uniform("turned"), false, [c, t * s, -d * s, 0, d, t, s, -t * c, d * c]); // columns
  gl.uniform2f(uniform("scale"), 0.95 * camera.zoom * Math.min(1, high), 0.95 * camera.zoom * Math.min(1, 1 / high));
  for (const flag of ["worn", "bumpy", "shaded"]) gl.uniform1i(uniform(flag), view[flag]);
  const parts = style === "wireframe" ? [[4, gl.LINES, view.lines]] : [[STYLES.findIndex(([name]) => name === style), gl.TRIANGLES, view.faces]];
  for (const [kind, form, list] of parts) {
    gl.uniform1i(uniform("style"), kind);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, list.buffer);
    gl.drawElements(form, list.count, gl.UNSIGNED_INT, 0);
  }
}

function soon() {
  if (wanted) return;
  wanted = true;
  requestAnimationFrame(() => { wanted = false; views.forEach(draw); });
}

function turning(canvas) {
  let last = null;
  canvas.addEventListener("pointerdown", (event) => { last = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    camera.turn += (event.clientX - last[0]) * 0.01;
    camera.tilt = Math.max(-1.5, Math.min(1.5, camera.tilt + (event.clientY - last[1]) * 0.01));
    last = [event.clientX, event.clientY]; soon();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
  canvas.addEventListener("wheel", (event) => {
    camera.zoom = Math.max(0.3, Math.min(8, camera.zoom * Math.exp(-event.deltaY * 0.001))); soon(); event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, -0.15], ArrowDown: [0, 0.15] }[event.key];
    if (!step) return;
    camera.turn += step[0]; camera.tilt = Math.max(-1.5, Math.min(1.5, camera.tilt + step[1])); soon(); event.preventDefault();
  });
}

function choices() {
  const row = document.createElement("div");
  row.className = "pg-views-row";
  for (const [name, label] of STYLES) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = label; button.dataset.style = name;
    button.setAttribute("aria-pressed", String(name === style));
    button.addEventListener("click", () => {
      style = name; soon();
      row.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    });
    row.append(button);
  }
  return row;
}

function show() {
  views.forEach((view) => view.gl.getExtension("WEBGL_lose_context")?.loseContext());
  views = [];
  const place = element.querySelector("[data-pg=views]");
  place.replaceChildren();
  const solids = props.value ? JSON.parse(props.value) : [];
  if (!solids.length) return;
  const grid = document.createElement("div");
  grid.className = "pg-views";
  place.append(choices(), grid);
  for (const solid of solids) {
    const figure = document.createElement("figure"), words = document.createElement("figcaption"), canvas = document.createElement("canvas");
    canvas.tabIndex = 0; canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", said("{0}, a solid to be turned by dragging or by arrow keys", solid.name));
    const name = document.createElement("b");
    name.textContent = solid.name;
    words.append(name, ` ${solid.told}`);
    figure.append(canvas, words); grid.append(figure);
    const view = opened(canvas, solid);
    if (view) { views.push(view); turning(canvas); } else words.append(" ", said("This browser shows no WebGL."));
  }
  soon();
}

new ResizeObserver(soon).observe(element);
watch("value", show);
show();
