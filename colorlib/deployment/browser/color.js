// sRGB and CIELAB as colorlib/color/lab.py has them: 8-bit sRGB, L in [0, 100], a and b in CIELAB units.

const RGB_TO_XYZ = [
  [0.412453, 0.35758, 0.180423],
  [0.212671, 0.71516, 0.072169],
  [0.019334, 0.119193, 0.950227],
];
const WHITE = [0.95047, 1, 1.08883];
const EPSILON = (6 / 29) ** 3; // where CIELAB's cube root gives way to a straight line
const SLOPE = (29 / 6) ** 2 / 3;
const LINEAR_TOLERANCE = 4e-6; // of a linear channel beyond the gamut
const BISECTIONS = 10;

const [RX, RY, RZ, GX, GY, GZ, BX, BY, BZ] = inverse(RGB_TO_XYZ).flat();
const LINEAR = Float64Array.from({ length: 256 }, (_, level) => toLinearLight(level / 255));
const BOUNDS = LINEAR.map((_, level) => toLinearLight((level + 0.5) / 255)); // from which on the next level is nearer
const GUESSES = Uint8Array.from({ length: 4096 }, (_, at) => BOUNDS.findIndex((bound) => at / 4096 < bound));
const LIGHTNESS = LINEAR.map((linear) => 116 * curve(linear) - 16); // of greys

function toLinearLight(value) {
  return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
}

function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
  const rows = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ];
  const determinant = a * rows[0][0] + b * rows[1][0] + c * rows[2][0];
  return rows.map((row) => row.map((value) => value / determinant));
}

function curve(value) {
  return value > EPSILON ? Math.cbrt(value) : SLOPE * value + 4 / 29;
}

function uncurve(value) {
  return value > 6 / 29 ? value * value * value : (value - 4 / 29) / SLOPE;
}

/** The 8-bit level of a linear channel, rounded: a guess from below, and the few steps up that it lacks. */
function levelOf(linear) {
  if (!(linear > 0)) return 0;
  if (linear >= 1) return 255;
  let level = GUESSES[Math.floor(linear * GUESSES.length)];
  while (linear >= BOUNDS[level]) level += 1;
  return level;
}

/** Lightness of 8-bit sRGB. */
function lightnessOf(red, green, blue) {
  if (red === green && green === blue) return LIGHTNESS[red];
  const [r, g, b] = RGB_TO_XYZ[1];
  return 116 * curve(r * LINEAR[red] + g * LINEAR[green] + b * LINEAR[blue]) - 16;
}

/** Write L, a and b of 8-bit sRGB into three arrays at `at`. */
function toLab(r8, g8, b8, lines, at) {
  const r = LINEAR[r8], g = LINEAR[g8], b = LINEAR[b8];
  const [X, Y, Z] = RGB_TO_XYZ;
  const x = curve((X[0] * r + X[1] * g + X[2] * b) / WHITE[0]);
  const y = curve((Y[0] * r + Y[1] * g + Y[2] * b) / WHITE[1]);
  const z = curve((Z[0] * r + Z[1] * g + Z[2] * b) / WHITE[2]);
  lines[0][at] = 116 * y - 16;
  lines[1][at] = 500 * (x - y);
  lines[2][at] = 200 * (y - z);
}

/** Write linear sRGB, unclipped, into `linear`; say whether sRGB can show it. */
function toLinear(L, a, b, linear) {
  const f = (L + 16) / 116;
  const x = WHITE[0] * uncurve(f + a / 500), y = WHITE[1] * uncurve(f), z = WHITE[2] * uncurve(f - b / 200);
  linear[0] = RX * x + RY * y + RZ * z;
  linear[1] = GX * x + GY * y + GZ * z;
  linear[2] = BX * x + BY * y + BZ * z;
  return Math.min(linear[0], linear[1], linear[2]) >= -LINEAR_TOLERANCE &&
    Math.max(linear[0], linear[1], linear[2]) <= 1 + LINEAR_TOLERANCE;
}

/** Write the 8-bit sRGB of L, a, b into `pixels` at `at`; what sRGB cannot show gives up chroma and keeps L and hue. */
function paint(L, a, b, pixels, at, linear) {
  if (!toLinear(L, a, b, linear)) {
    let share = 0;
    for (let step = 1 / 2, times = 0; times < BISECTIONS; step /= 2, times += 1) {
      if (toLinear(L, a * (share + step), b * (share + step), linear)) share += step;
    }
    toLinear(L, a * share, b * share, linear);
  }
  for (let channel = 0; channel < 3; channel += 1) pixels[at + channel] = levelOf(linear[channel]);
}
