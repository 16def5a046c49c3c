// What computes, beside the page: it keeps the photograph, runs the network and paints. `ort` is ONNX Runtime.

let photograph = null; // { pixels, height, width, isGrey }
const sessions = new Map(); // part of a model, since two may have one name -> its session

/** Begin with the runtime's glue (text) and program (bytes): nothing is fetched, and one thread needs no server. */
function start({ glue, program }) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = program;
  ort.env.wasm.wasmPaths = { mjs: URL.createObjectURL(new Blob([glue], { type: "text/javascript" })) };
}

/** Take a photograph, RGBA, and keep it. */
function take({ pixels, height, width }) {
  const bytes = new Uint8ClampedArray(pixels);
  let isGrey = true;
  for (let at = 0; at < bytes.length && isGrey; at += 4) {
    isGrey = bytes[at] === bytes[at + 1] && bytes[at] === bytes[at + 2];
  }
  photograph = { pixels: bytes, height, width, isGrey };
}

/** Colour the photograph; where it is in colour already and `anew` is not set, only say so. */
async function color({ model, anew, turn }) {
  const { pixels, height, width, isGrey } = photograph;
  const size = workingSize(height, width, model.shortSide);
  if (Math.min(...size) < model.leastSide) throw new RangeError("shape");
  const told = (phase) => (share) => postMessage({ kind: "progress", phase, share, turn });
  const small = shrink(pixels, height, width, size, isGrey, told("looking"));
  const tone = toneOf(small);
  if (tone === "colour" && !anew) return { kind: "colorful" };
  told("thinking")(0);
  const [a, b] = await colors(model, small[0], size);
  const result = pixels.slice();
  enlarge(result, height, width, [small[0], a, b], size, told("painting"));
  return { kind: "colored", pixels: result.buffer, tone };
}

/** The network's a and b for L, each a map of h × w. */
async function colors({ part, bytes }, L, [h, w]) {
  if (!sessions.has(part)) sessions.set(part, await ort.InferenceSession.create(bytes));
  const session = sessions.get(part), given = { lightness: new ort.Tensor("float32", L, [1, 1, h, w]) };
  if (session.inputNames.includes("hints")) {
    given.hints = new ort.Tensor("float32", new Float32Array(3 * h * w), [1, 3, h, w]);
  }
  const { data } = (await session.run(given)).ab;
  return [data.slice(0, h * w), data.slice(h * w)];
}

onmessage = async ({ data }) => {
  try {
    if (data.kind === "start") start(data);
    if (data.kind === "take") take(data);
    if (data.kind === "color") {
      const answer = await color(data);
      postMessage({ ...answer, turn: data.turn }, answer.pixels ? [answer.pixels] : []);
    }
  } catch (error) {
    postMessage({ kind: "failed", reason: error.message === "shape" ? "shape" : String(error), turn: data.turn });
  }
};
