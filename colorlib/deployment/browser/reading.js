// A visitor's file taken in with suspicion: its pixels, upright, in sRGB, or one sentence that says why not.

const MOST_PIXELS = 50e6, LONGEST_SIDE = 16384; // what canvases of browsers hold
const KINDS = [ // what a file begins with, and what it is
  [/^\xff\xd8\xff/, "JPEG"],
  [/^\x89PNG\r\n\x1a\n/, "PNG"],
  [/^RIFF....WEBP/s, "WebP"],
];
const OTHERS = [
  [/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/, "a TIFF, which browsers do not read; save it as PNG or JPEG"],
  [/^....ftyp(heic|heix|mif1|hevc)/s, "a HEIC, which browsers do not read; save it as JPEG"],
  [/^....ftyp(avif|avis)/s, "an AVIF; save it as PNG or JPEG"],
  [/^....ftyp/s, "a film or another container, not a photograph"],
  [/^GIF8/, "a GIF; save it as PNG"],
  [/^%PDF/, "a PDF; take the photograph out of it first"],
  [/^PK\x03\x04/, "an archive; take the photographs out of it first"],
  [/^$/, "empty"],
];

/** Read a file: { name, width, height, pixels (RGBA), image (a bitmap) }. Raises an Error with one sentence. */
async function readPhotograph(file) {
  const head = await file.slice(0, 16).arrayBuffer().catch(() => {
    throw new Error(`${file.name} cannot be read: it is a folder, or was moved since; choose a photograph's file.`);
  });
  const start = String.fromCharCode(...new Uint8Array(head));
  if (!KINDS.some(([begins]) => begins.test(start))) {
    const [, what] = OTHERS.find(([begins]) => begins.test(start)) || [0, "no photograph that a browser can read"];
    throw new Error(`${file.name} is ${what}.`);
  }
  let image;
  try {
    image = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(`${file.name} is damaged, or larger than this browser can open.`);
  }
  const { width, height } = image;
  if (width * height > MOST_PIXELS || Math.max(width, height) > LONGEST_SIDE) {
    const size = `${width.toLocaleString("en")} × ${height.toLocaleString("en")}`;
    throw new Error(`${file.name} has ${size} pixels; ${MOST_PIXELS / 1e6} megapixels, and ` +
      `${LONGEST_SIDE.toLocaleString("en")} pixels a side, are the most that this page takes. Save a smaller copy.`);
  }
  try {
    const { context } = canvasOf(image, width, height);
    return { name: file.name, width, height, image, pixels: context.getImageData(0, 0, width, height).data };
  } catch {
    throw new Error(`${file.name} needs more memory than this browser gives; save a smaller copy, or use a computer.`);
  }
}

/** A canvas of width × height, and its context, with an image drawn over all of it. */
function canvasOf(image, width, height, canvas = document.createElement("canvas")) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  if (image) context.drawImage(image, 0, 0, width, height);
  return { canvas, context };
}
