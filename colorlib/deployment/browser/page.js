// What a visitor touches: choose a photograph and a model, wait, slide between before and after, take the result home.

const SHOWN_SIDE = 1600; // pixels, the longer side on the screen
const PHASES = { looking: "Looking at it", thinking: "Thinking of colours", painting: "Painting" };
const { about } = globalThis.parts;
const find = (selector) => document.querySelector(selector);
const show = (selector, shown) => { find(selector).hidden = !shown; };

let photograph = null; // the one that is looked at, without its pixels, which the worker has
let result = null; // { canvas, mark, name }: in full size, the mark of the model that coloured it, the photograph's name
let turn = 0; // counts what was asked for; answers to an earlier turn are too late

function say(sentence, share = null) {
  show(".status", Boolean(sentence));
  find(".status span").textContent = sentence;
  const bar = find(".status progress");
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

function complain(sentence) {
  say("");
  find(".problem").textContent = sentence;
  show(".problem", Boolean(sentence));
}

// ------------------------------------------------------------------------------------------------ the worker

let worker = null; // the promise of one

function theWorker() {
  worker ??= startWorker().catch((error) => {
    worker = null; // whatever was missing may be there the next time
    throw error;
  });
  return worker;
}

async function startWorker() {
  const { source, glue, program } = await part("runtime");
  const bytes = await unpacked(program);
  const started = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  started.onmessage = ({ data }) => hear(data);
  started.onerror = () => complain("This browser cannot colour photographs; a current one can.");
  started.postMessage({ kind: "start", glue, program: bytes.buffer }, [bytes.buffer]);
  return started;
}

function hear(answer) {
  if (answer.turn !== turn) return;
  if (answer.kind === "progress") say(`${PHASES[answer.phase]} …`, answer.phase === "thinking" ? null : answer.share);
  if (answer.kind === "colorful") {
    say("");
    show(".question", true);
  }
  if (answer.kind === "colored") present(answer);
  if (answer.kind === "failed") {
    const shape = answer.reason === "shape";
    complain(`${photograph.name} ${shape
      ? `is too small, or too long and thin: ${chosen().leastSide} pixels a side are the least, and 28 times as long as wide the most.`
      : `could not be coloured (${answer.reason}); load the page again, or try a smaller copy.`}`);
  }
}

// ------------------------------------------------------------------------------------------------ what is asked

const chosen = () => about.models[find(".models input:checked")?.value || 0];

async function take(file) {
  const own = (turn += 1);
  photograph = null;
  show(".question", false);
  show("section", false);
  complain("");
  say("Opening it …");
  try {
    const { pixels, ...rest } = await readPhotograph(file);
    const asked = await theWorker();
    if (own !== turn) return;
    photograph = rest;
    const { width, height } = rest;
    asked.postMessage({ kind: "take", pixels: pixels.buffer, width, height }, [pixels.buffer]);
    await color(false);
  } catch (error) {
    if (own === turn) complain(error.message);
  }
}

async function color(anew) {
  const own = (turn += 1), model = chosen();
  photograph.anew ||= anew;
  show(".question", false);
  complain("");
  say("Getting ready …");
  try {
    const { packed, format } = await part(model.part);
    if (format !== about.format) {
      throw new Error(`${model.part}.js is of another version than this page: the folder has to be made anew.`);
    }
    model.bytes ??= await unpacked(packed);
    const asked = await theWorker();
    if (own === turn) asked.postMessage({ kind: "color", turn: own, anew: photograph.anew, model });
  } catch (error) {
    if (own === turn) complain(error.message);
  }
}

// ------------------------------------------------------------------------------------------------ what is shown

function present({ pixels, tone }) {
  const { name, width, height, image } = photograph;
  try {
    const { canvas, context } = canvasOf(null, width, height);
    context.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
    result = { canvas, mark: chosen().mark, name };
  } catch {
    complain(`${name} needs more memory than this browser gives; save a smaller copy, or use a computer.`);
    return;
  }
  const scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
  const [shownWidth, shownHeight] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  canvasOf(result.canvas, shownWidth, shownHeight, find("canvas.after"));
  canvasOf(image, shownWidth, shownHeight, find("canvas.before"));
  const figure = find("figure");
  figure.style.aspectRatio = `${width} / ${height}`;
  figure.style.width = `min(100%, calc(75vh * ${width / height}), ${2 * width}px)`;
  find(".name b").textContent = name;
  find(".name span").textContent = `${width.toLocaleString("en")} × ${height.toLocaleString("en")} pixels`;
  find(".note").textContent = [tone === "toned" && about.toned, "The result is sRGB with 8 bits a channel; what else the file carried is not kept."]
    .filter(Boolean).join(" ");
  say("");
  show("section", true);
}

// ------------------------------------------------------------------------------------------------ what is touched

about.models.forEach(({ name, about: told }, number) => {
  const label = document.createElement("label"), more = document.createElement("small");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "model", value: number });
  input.checked = number === 0;
  input.onchange = () => { if (photograph) color(false); };
  more.textContent = told;
  label.append(input, ` ${name} `, more);
  find(".models").append(label);
});
show(".models", about.models.length > 1);

find(".drop input").onchange = ({ target }) => {
  if (target.files[0]) take(target.files[0]);
  target.value = "";
};
find(".question button").onclick = () => color(true);
find("figure input").oninput = ({ target }) => find("figure").style.setProperty("--split", `${target.value}%`);
document.querySelectorAll(".downloads button").forEach((button) => {
  button.onclick = async () => {
    const { canvas, mark, name } = result;
    try {
      const ending = button.dataset.type === "image/jpeg" ? "jpg" : "png";
      const file = await writeMarked(canvas, button.dataset.type, mark);
      download(file, `${name.replace(/\.[^.]*$/, "")}-coloured.${ending}`);
    } catch (error) {
      complain(error.message);
    }
  };
});

const filesOf = ({ files, items }) => [...files, ...[...(items || [])].map((item) => item.getAsFile?.()).filter(Boolean)];
addEventListener("dragover", (event) => {
  event.preventDefault();
  find(".drop").classList.add("over");
});
addEventListener("dragleave", () => find(".drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  find(".drop").classList.remove("over");
  const [file] = filesOf(event.dataTransfer), { length } = event.dataTransfer.files;
  if (length > 1) complain(`These are ${length} files; drop one at a time.`);
  else if (file) take(file);
  else complain("What was dropped is no file; save the photograph first, or copy and paste it.");
});
addEventListener("paste", (event) => {
  const [file] = filesOf(event.clipboardData);
  if (file) take(file);
});

if (part && readPhotograph && writeMarked) find(".broken").remove(); // not reached where a script is missing
