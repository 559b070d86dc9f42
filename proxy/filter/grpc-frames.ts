// Follows the frames of a gRPC body as its bytes pass: one byte of flags, four of length, the message.

const HEAD = 5;
/** Flags of a message: compressed or not. */
const MOST_FLAGS = 1;

export class FrameWatch {
  /** Bytes of the head of a frame that came. */
  #headBytes = 0;
  #length = 0;
  /** Bytes of the message that are still to come. */
  #left = 0;

  /** False: a frame that is no message. */
  pass(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const byte = chunk[at++] as number;
      if (this.#headBytes === 0) {
        if (byte > MOST_FLAGS) return false;
      } else {
        this.#length = this.#length * 256 + byte;
      }
      this.#headBytes += 1;
      if (this.#headBytes < HEAD) continue;
      this.#left = this.#length;
      this.#headBytes = 0;
      this.#length = 0;
    }
    return true;
  }

  /** Between two frames. */
  get whole(): boolean {
    return this.#headBytes === 0 && this.#left === 0;
  }
}
