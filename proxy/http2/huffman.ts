// Huffman decoding of HPACK strings (RFC 7541 §5.2, Appendix B), eight bits a step. What is sent from here is
// never Huffman-coded: between sidecars bytes are cheaper than the time to shrink them.

/**
 * Bits of the code of every symbol, 0 to 255 and EOS. The code is canonical (Appendix B): codes go up by length
 * and then by symbol, so lengths are all there is to know.
 */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];
const EOS = 256;
const STEP = 256;

/**
 * Tables of 256 entries, one per byte of look-ahead. Above 0: a symbol × 256 + the bits of it in this byte;
 * below 0: the table for the next byte; 0: no code, which is only where EOS begins.
 */
const TABLES: Int32Array = buildTables();

/** Null where these bytes are no valid string: EOS inside, or padding that is too long or not of ones. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | null {
  // No code is shorter than five bits.
  const out = Buffer.allocUnsafe(Math.ceil(((end - start) * 8) / 5));
  let length = 0;
  let held = 0;
  let bits = 0;
  let table = 0;
  for (let at = start; at < end; at++) {
    held = ((held & 0xffff) << 8) | (bytes[at] as number);
    bits += 8;
    while (bits >= 8) {
      const entry = TABLES[table + ((held >>> (bits - 8)) & 255)] as number;
      if (entry === 0) return null;
      if (entry < 0) {
        table = -entry;
        bits -= 8;
      } else {
        out[length++] = entry >>> 8;
        bits -= entry & 255;
        table = 0;
      }
    }
  }
  for (;;) {
    const entry = TABLES[table + ((held << (8 - bits)) & 255)] as number;
    if (entry <= 0 || (entry & 255) > bits || bits === 0) break;
    out[length++] = entry >>> 8;
    bits -= entry & 255;
    table = 0;
  }
  const ones = (1 << bits) - 1;
  return table === 0 && (held & ones) === ones ? out.toString('latin1', 0, length) : null;
}

function buildTables(): Int32Array {
  const tables: number[] = Array.from({ length: STEP }, () => 0);
  const symbols = LENGTHS.map((length, symbol) => ({ length, symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let before = 0;
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - before);
    before = length;
    if (symbol !== EOS) insert(tables, symbol, code, length);
    code += 1;
  }
  return Int32Array.from(tables);
}

function insert(tables: number[], symbol: number, code: number, length: number): void {
  let table = 0;
  let left = length;
  for (; left > 8; left -= 8) {
    const at = table + ((code >>> (left - 8)) & 255);
    if (tables[at] === 0) {
      tables[at] = -tables.length;
      for (let i = 0; i < STEP; i++) tables.push(0);
    }
    table = -(tables[at] as number);
  }
  const first = table + ((code << (8 - left)) & 255);
  for (let i = 0; i < 1 << (8 - left); i++) tables[first + i] = (symbol << 8) | left;
}
