// Base64 in pieces: a decoder for every split of its input, padding between pieces included, which gRPC-Web allows
// (PROTOCOL-WEB.md: a sender may pad whenever it flushes).

/** Value of a character code; -1: none. */
const VALUES = new Int8Array(256).fill(-1);
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
ALPHABET.forEach((code, value) => {
  VALUES[code] = value;
});
const PAD = 61;

export class Base64Decoder {
  /** Bits of the group that is not whole. */
  #bits = 0;
  /** Characters of it, padding included; how many of them were padding. */
  #count = 0;
  #padding = 0;

  /** The bytes that are whole by now; null: no base64, and nothing more may be asked. */
  decode(chunk: Buffer): Buffer | null {
    const out = Buffer.allocUnsafe(Math.floor((this.#count + chunk.length) / 4) * 3);
    let at = 0;
    let bits = this.#bits;
    let count = this.#count;
    for (let i = 0; i < chunk.length; i++) {
      const code = chunk[i] as number;
      const value = VALUES[code] as number;
      if (value >= 0) {
        if (this.#padding > 0) return null;
        bits = (bits << 6) | value;
      } else {
        // Two characters at least stand before padding.
        if (code !== PAD || count < 2) return null;
        this.#padding += 1;
        bits <<= 6;
      }
      count += 1;
      if (count < 4) continue;
      const bytes = 3 - this.#padding;
      out[at++] = bits >>> 16;
      if (bytes > 1) out[at++] = bits >>> 8;
      if (bytes > 2) out[at++] = bits;
      bits = 0;
      count = 0;
      this.#padding = 0;
    }
    this.#bits = bits;
    this.#count = count;
    return out.subarray(0, at);
  }

  /** False: a group is not whole. */
  get whole(): boolean {
    return this.#count === 0;
  }
}
