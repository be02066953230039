// @ts-check
/**
 * The registration key as a QR code (ISO/IEC 18004): always version 2 (25 × 25), error correction Q, alphanumeric, mask 0,
 * which holds up to 29 characters. One fixed size needs no tables, and the phone draws what it computed itself: a picture
 * that the platform made could not be compared with anything.
 */

const SIZE = 25;
const DATA = 22;
const CORRECTION = 22;
const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const MOST = 29;
// Level Q and mask 0 with their BCH code and the fixed mask of format information, most significant bit first (§7.9).
const FORMAT = "011010101011111";
const POLYNOMIAL = 0x11d;

/** @typedef {(boolean | null)[][]} Modules rows of modules, true for dark; null where data goes */

/** @param {string} text @returns {number[]} the 22 data codewords (§7.4) */
function codewords(text) {
  const values = [...text].map((letter) => LETTERS.indexOf(letter));
  if (values.length > MOST || values.includes(-1)) {
    throw new RangeError("at most 29 characters of the alphanumeric mode");
  }
  let bits = `0010${text.length.toString(2).padStart(9, "0")}`;
  for (let at = 0; at < values.length; at += 2) {
    const [first = 0, second] = values.slice(at, at + 2);
    bits += second === undefined ? first.toString(2).padStart(6, "0") : (first * 45 + second).toString(2).padStart(11, "0");
  }
  bits = bits.padEnd(Math.min(bits.length + 4, DATA * 8), "0");
  bits = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0");
  const words = (bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
  for (let pad = 0xec; words.length < DATA; pad ^= 0xec ^ 0x11) {
    words.push(pad);
  }
  return words;
}

/** @param {number} a @param {number} b @returns {number} their product in GF(256) */
function times(a, b) {
  let product = 0;
  for (let left = b; left > 0; left >>= 1) {
    product ^= left & 1 ? a : 0;
    a = (a << 1) ^ (a & 0x80 ? POLYNOMIAL : 0);
  }
  return product;
}

/** @param {number[]} data @returns {number[]} the 22 error correction codewords (§7.5) */
function corrections(data) {
  let generator = [1];
  for (let power = 1, n = 0; n < CORRECTION; n += 1, power = times(power, 2)) {
    const shifted = [...generator, 0];
    generator = shifted.map((each, at) => each ^ times(generator[at - 1] ?? 0, power));
  }
  const rest = [...data, ...new Array(CORRECTION).fill(0)];
  data.forEach((_, at) => {
    const lead = rest[at] ?? 0;
    generator.forEach((each, offset) => (rest[at + offset] = (rest[at + offset] ?? 0) ^ times(each, lead)));
  });
  return rest.slice(data.length);
}

/** @returns {Modules} finders, timing, alignment and format; null elsewhere (§6.3) */
function frame() {
  /** @type {Modules} */
  const modules = Array.from({ length: SIZE }, () => new Array(SIZE).fill(null));
  /** @param {number} row @param {number} column @param {boolean} dark */
  const set = (row, column, dark) => {
    const line = modules[row];
    if (line !== undefined && column >= 0 && column < SIZE) {
      line[column] = dark;
    }
  };
  for (let at = 0; at < SIZE; at += 1) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  for (const [top, left] of /** @type {[number, number][]} */ ([[0, 0], [0, SIZE - 7], [SIZE - 7, 0]])) {
    for (let row = -1; row <= 7; row += 1) {
      for (let column = -1; column <= 7; column += 1) {
        const ring = Math.max(Math.abs(row - 3), Math.abs(column - 3));
        set(top + row, left + column, ring !== 2 && ring !== 4);
      }
    }
  }
  for (let row = -2; row <= 2; row += 1) {
    for (let column = -2; column <= 2; column += 1) {
      set(18 + row, 18 + column, Math.max(Math.abs(row), Math.abs(column)) !== 1);
    }
  }
  const around = [0, 1, 2, 3, 4, 5, 7, 8];
  [...FORMAT].forEach((bit, n) => {
    const dark = bit === "1";
    // One copy around the upper left finder, along row 8 and up column 8; the other split beside the other two.
    set(n < 8 ? 8 : (around[14 - n] ?? 0), n < 8 ? (around[n] ?? 0) : 8, dark);
    set(n < 7 ? SIZE - 1 - n : 8, n < 7 ? 8 : SIZE - 15 + n, dark);
  });
  set(SIZE - 8, 8, true);
  return modules;
}

/**
 * @param {string} text capital letters and digits
 * @returns {boolean[][]} rows of modules, true for dark, without the quiet zone
 * @throws {RangeError} other characters, or more than 29
 */
export function drawModules(text) {
  const data = codewords(text);
  const bits = [...data, ...corrections(data)].map((word) => word.toString(2).padStart(8, "0")).join("");
  const modules = frame();
  let next = 0;
  // Two columns at a time from the right, upwards and downwards in turn, around the timing column (§7.7.3).
  for (let right = SIZE - 1, isUp = true; right > 0; right -= right === 8 ? 3 : 2, isUp = !isUp) {
    for (let step = 0; step < SIZE; step += 1) {
      const row = isUp ? SIZE - 1 - step : step;
      for (const column of [right, right - 1]) {
        const line = modules[row];
        if (line !== undefined && line[column] === null) {
          line[column] = (bits[next] === "1") !== ((row + column) % 2 === 0);
          next += 1;
        }
      }
    }
  }
  return modules.map((row) => row.map((dark) => dark === true));
}

/**
 * @param {string} text
 * @returns {{ path: string, size: number }} path data of the dark modules inside a quiet zone of four, and its side
 */
export function drawPath(text) {
  const runs = drawModules(text).flatMap((row, y) =>
    row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : [])),
  );
  return { path: runs.join(""), size: SIZE + 8 };
}
