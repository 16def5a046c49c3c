// A coloured photograph as a file that says, as those of colorlib do, that a machine coloured it.

/** Write a canvas as a file of `type`, with the mark of a model: for each type the bytes that stand before the picture. */
async function writeMarked(canvas, type, mark) {
  const written = type === "image/jpeg" ? onWhite(canvas) : canvas;
  const blob = await new Promise((resolve) => written.toBlob(resolve, type, 0.95));
  if (!blob || blob.type !== type) throw new Error("This browser cannot write the picture; try the other format.");
  const head = new Uint8Array(await blob.slice(0, 64).arrayBuffer());
  let [start, end] = [33, 33]; // of a PNG: behind its header
  if (type === "image/jpeg") { // instead of the browser's JFIF, if any
    start = 2;
    end = head[2] === 0xff && head[3] === 0xe0 ? 4 + head[4] * 256 + head[5] : 2;
  }
  return new Blob([blob.slice(0, start), await unpacked(mark[type]), blob.slice(end)], { type });
}

/** A copy of a canvas without transparency, which JPEG has not. */
function onWhite(canvas) {
  const { canvas: copy, context } = canvasOf(canvas, canvas.width, canvas.height);
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return copy;
}

/** Hand a file to the visitor. */
function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
