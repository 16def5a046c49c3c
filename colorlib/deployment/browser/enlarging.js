// Colours of a small copy brought up to a photograph along the edges of its lightness, as
// colorlib/deployment/enlarging.py does it: the smooth part by cubic interpolation, and what it lacks by a guided filter.

const WINDOW = 0.7; // deviation of the Gaussian window in which a and b are lines in L, in pixels of the small copy
const SMOOTHNESS = 100; // L² units; a window whose L varies less than this is taken to say little about colour

/** Average a map of h × w in a Gaussian window; past its ends the last pixel goes on. */
function blur(values, h, w) {
  const reach = Math.ceil(2.5 * WINDOW);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, tap) => Math.exp(-((tap - reach) ** 2) / (2 * WINDOW ** 2)));
  const sum = kernel.reduce((total, value) => total + value);
  const within = (at, length) => Math.min(Math.max(at, 0), length - 1);
  const along = (source, place) => {
    const result = new Float32Array(h * w);
    for (let y = 0; y < h; y += 1) {
      for (let x = 0; x < w; x += 1) {
        kernel.forEach((weight, tap) => { result[y * w + x] += (weight / sum) * source[place(y, x, tap - reach)]; });
      }
    }
    return result;
  };
  const narrow = along(values, (y, x, step) => y * w + within(x + step, w));
  return along(narrow, (y, x, step) => within(y + step, h) * w + x);
}

/** How much a colour changes with L in the window around each pixel. */
function slopes(L, color, h, w) {
  const product = (left, right) => left.map((value, at) => value * right[at]);
  const mean = blur(L, h, w), meanColor = blur(color, h, w);
  const square = blur(product(L, L), h, w), mixed = blur(product(L, color), h, w);
  return mean.map(
    (value, at) => (mixed[at] - value * meanColor[at]) / (Math.max(square[at] - value * value, 0) + SMOOTHNESS),
  );
}

/**
 * Colour a photograph in place, row by row.
 *
 * `pixels` is its RGBA of H × W, whose lightness and transparency stay; L, a and b are maps of h × w; `told` hears from
 * time to time how far it is.
 */
function enlarge(pixels, H, W, [L, a, b], [h, w], told) {
  const maps = [a, b, slopes(L, a, h, w), slopes(L, b, h, w), L];
  const across = resampling(w, W, cubic, 2), down = resampling(h, H, cubic, 2);
  const wide = maps.map((map) => resampleRows(map, h, across));
  const lines = maps.map(() => new Float32Array(W)), linear = [0, 0, 0];
  for (let row = 0; row < H; row += 1) {
    lines.forEach((line, map) => {
      line.fill(0);
      for (let at = row * down.count; at < (row + 1) * down.count; at += 1) {
        const weight = down.weights[at], from = down.taps[at] * W;
        if (weight) for (let x = 0; x < W; x += 1) line[x] += weight * wide[map][from + x];
      }
    });
    const [smoothA, smoothB, slopeA, slopeB, smoothL] = lines;
    for (let x = 0, at = 4 * row * W; x < W; x += 1, at += 4) {
      const own = lightnessOf(pixels[at], pixels[at + 1], pixels[at + 2]), detail = own - smoothL[x];
      paint(own, smoothA[x] + slopeA[x] * detail, smoothB[x] + slopeB[x] * detail, pixels, at, linear);
    }
    if (row % 64 === 0) told(row / H);
  }
}
