// Sides of pictures resampled, as colorlib/pictures/shrinking.py does it.

const ELONGATION = 16; // a working size has at most this many times the pixels of the short side's square

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function lanczos(x) {
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/** Keys's kernel with a = -1/2, which runs through the samples. */
function cubic(x) {
  const d = Math.abs(x);
  if (d < 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
  return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
}

/**
 * What resamples a side from `source` to `target` samples: `count` numbers for each sample of the result, in `taps` the
 * samples of the source and in `weights` what they weigh; past its ends the last one goes on.
 */
function resampling(source, target, kernel, support) {
  const scale = Math.max(1, source / target);
  const reach = Math.ceil(support * scale), count = 2 * reach;
  const taps = new Int32Array(target * count), weights = new Float32Array(target * count);
  for (let sample = 0; sample < target; sample += 1) {
    const centre = ((sample + 0.5) * source) / target - 0.5;
    const first = Math.floor(centre) - reach + 1, at = sample * count;
    let sum = 0;
    for (let tap = 0; tap < count; tap += 1) {
      weights[at + tap] = kernel((first + tap - centre) / scale);
      taps[at + tap] = Math.min(Math.max(first + tap, 0), source - 1);
      sum += weights[at + tap];
    }
    for (let tap = 0; tap < count; tap += 1) weights[at + tap] /= sum;
  }
  return { taps, weights, count, source, target };
}

/** Resample each of `rows` rows of `values`, a typed array of rows × source numbers, to rows × target. */
function resampleRows(values, rows, { taps, weights, count, source, target }) {
  const result = new Float32Array(rows * target);
  for (let row = 0; row < rows; row += 1) {
    for (let sample = 0; sample < target; sample += 1) {
      let sum = 0;
      for (let at = sample * count, end = at + count; at < end; at += 1) sum += weights[at] * values[row * source + taps[at]];
      result[row * target + sample] = sum;
    }
  }
  return result;
}

/** [h, w] of the small copy of a photograph of H × W pixels; a smaller photograph stays as it is. */
function workingSize(H, W, shortSide) {
  const scale = Math.min(1, shortSide / Math.min(H, W), Math.sqrt((ELONGATION * shortSide ** 2) / (H * W)));
  const h = Math.max(1, Math.round(H * scale)), w = Math.max(1, Math.round(W * scale));
  return [Math.min(h, 4 * ELONGATION * w), Math.min(w, 4 * ELONGATION * h)];
}

/**
 * The small copy of a photograph: L, a and b as three maps of h × w, in one pass over the rows.
 *
 * `pixels` is RGBA; where all its channels are equal a and b are zero. `told` hears from time to time how far it is.
 */
function shrink(pixels, H, W, [h, w], isGrey, told) {
  const across = resampling(W, w, lanczos, 3), down = resampling(H, h, lanczos, 3);
  const users = Array.from({ length: H }, () => []); // which rows of the result rest on a row, and how much
  for (let at = 0; at < down.taps.length; at += 1) {
    if (down.weights[at]) users[down.taps[at]].push([Math.floor(at / down.count), down.weights[at]]);
  }
  const maps = Array.from({ length: isGrey ? 1 : 3 }, () => new Float32Array(h * w));
  const lines = maps.map(() => new Float32Array(W));
  for (let row = 0; row < H; row += 1) {
    for (let x = 0, at = 4 * row * W; x < W; x += 1, at += 4) {
      if (isGrey) lines[0][x] = lightnessOf(pixels[at], pixels[at], pixels[at]);
      else toLab(pixels[at], pixels[at + 1], pixels[at + 2], lines, x);
    }
    lines.forEach((line, map) => {
      const narrow = resampleRows(line, 1, across);
      for (const [target, weight] of users[row]) {
        for (let x = 0; x < w; x += 1) maps[map][target * w + x] += weight * narrow[x];
      }
    });
    if (row % 64 === 0) told(row / H);
  }
  const L = maps[0].map((value) => Math.min(Math.max(value, 0), 100));
  return isGrey ? [L, new Float32Array(h * w), new Float32Array(h * w)] : [L, maps[1], maps[2]];
}
