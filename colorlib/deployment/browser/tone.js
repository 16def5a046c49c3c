// Whether a photograph is grey, toned in one hue, or in colour, as colorlib/pictures/tone.py tells it.

const GREY_CHROMA = 2.5; // mean chroma of a small copy
const TONED_SHARE = 0.1, TONED_CHROMA = 1.5; // of the chroma, or chroma: what a toned one may have that is not L's doing

/** "grey", "toned" (sepia and other single tints) or "colour": of a small copy's L, a and b. */
function toneOf([L, a, b]) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const chroma = mean(Float64Array.from(a, (value, at) => Math.hypot(value, b[at])));
  if (chroma < GREY_CHROMA) return "grey";
  const level = (value) => Math.min(Math.max(Math.floor(value / 6.25), 0), 15);
  const sums = Array.from({ length: 16 }, () => [0, 0, 0]);
  L.forEach((value, at) => {
    const sum = sums[level(value)];
    sum[0] += 1;
    sum[1] += a[at];
    sum[2] += b[at];
  });
  const spread = mean(Float64Array.from(L, (value, at) => {
    const [count, sumA, sumB] = sums[level(value)];
    return Math.hypot(a[at] - sumA / count, b[at] - sumB / count);
  }));
  return spread < Math.max(TONED_CHROMA, TONED_SHARE * chroma) ? "toned" : "colour";
}
