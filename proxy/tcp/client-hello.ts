// Reads the name that a TLS client asks for, without ending TLS: the ClientHello that it begins with, over however many
// records and reads it comes. Bounded, correct for every split of the input. What Encrypted ClientHello hides stays
// hidden: then the outer name is the one that counts. Source: RFC 8446 §4.1.2 and §5.1, RFC 6066 §3.

export type ClientHello =
  /** More bytes are needed: so many in all before another look can tell more. */
  | { readonly kind: 'more'; readonly least: number }
  /** Not a ClientHello; `reason` is for the log. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** `serverName`: lower case; '' where the client names none. */
  | { readonly kind: 'hello'; readonly serverName: string };

/** Of one ClientHello, headers of records apart. Chrome's with post-quantum keys has less than 2 KiB. */
export const LONGEST_HELLO = 16_384;
const RECORD_HEAD = 5;
/** A client that cuts its hello into single bytes is up to no good. */
const MOST_RECORDS = 64;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const MESSAGE_HEAD = 4;
const RANDOM_END = 34;
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST = 0;

/** `bytes`: all that has come so far, from the first. */
export function readClientHello(bytes: Buffer): ClientHello {
  const fragments: Buffer[] = [];
  let size = 0;
  let at = 0;
  for (let records = 0; records < MOST_RECORDS; records++) {
    const wrong = recordFault(bytes, at);
    if (wrong !== null) return invalid(wrong);
    if (bytes.length - at < RECORD_HEAD) return { kind: 'more', least: bytes.length + 1 };
    const length = bytes.readUInt16BE(at + 3);
    const fragment = bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length);
    fragments.push(fragment);
    size += fragment.length;
    const message = fragments.length === 1 ? fragment : Buffer.concat(fragments);
    const outcome = readMessage(message);
    if (outcome !== null) return outcome;
    if (size > LONGEST_HELLO) return invalid(`its hello is longer than ${LONGEST_HELLO} bytes`);
    if (fragment.length < length) {
      // Its first bytes may tell that it is no hello.
      const least = size < MESSAGE_HEAD ? bytes.length + 1 : at + RECORD_HEAD + length;
      return { kind: 'more', least };
    }
    at += RECORD_HEAD + length;
  }
  return invalid(`its hello is in more than ${MOST_RECORDS} records`);
}

/** What is wrong with the head of a record, as far as it has come. */
function recordFault(bytes: Buffer, at: number): string | null {
  const left = bytes.length - at;
  if (left >= 1 && bytes[at] !== HANDSHAKE) return 'it does not begin with a TLS handshake';
  if (left >= 2 && bytes[at + 1] !== 3) return 'its version is none of TLS';
  if (left < RECORD_HEAD) return null;
  const length = bytes.readUInt16BE(at + 3);
  return length === 0 || length > LONGEST_HELLO ? 'a record is empty or too long' : null;
}

/** null: it is not all here. */
function readMessage(message: Buffer): ClientHello | null {
  if (message.length >= 1 && message[0] !== CLIENT_HELLO) return invalid('its first message is no ClientHello');
  if (message.length < MESSAGE_HEAD) return null;
  const length = message.readUIntBE(1, 3);
  if (length > LONGEST_HELLO) return invalid(`its hello is longer than ${LONGEST_HELLO} bytes`);
  if (message.length < MESSAGE_HEAD + length) return null;
  return readBody(new Reader(message.subarray(MESSAGE_HEAD, MESSAGE_HEAD + length)));
}

function readBody(body: Reader): ClientHello {
  body.skip(RANDOM_END);
  body.vector(1);
  body.vector(2);
  body.vector(1);
  // Without extensions: TLS 1.2 at most, and no name.
  if (!body.failed && body.left === 0) return { kind: 'hello', serverName: '' };
  const extensions = body.vector(2);
  if (body.failed || body.left > 0) return invalid('its hello is malformed');
  let serverName: string | null = null;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (extensions.failed) return invalid('an extension is malformed');
    if (type !== EXTENSION_SERVER_NAME) continue;
    if (serverName !== null) return invalid('it names itself twice');
    serverName = readServerName(content);
    if (serverName === null) return invalid('its server name is malformed');
  }
  return { kind: 'hello', serverName: serverName ?? '' };
}

/** null: malformed. */
function readServerName(content: Reader): string | null {
  const list = content.vector(2);
  const type = list.number(1);
  const name = list.vector(2);
  // RFC 6066 allows one name of each type, and there is one type.
  if (content.failed || list.failed || content.left > 0 || list.left > 0 || type !== NAME_TYPE_HOST) return null;
  const text = name.text().toLowerCase();
  return /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(text) && text.length <= 253
    ? text
    : null;
}

/** Takes a message apart; once something is not there, everything after it is empty. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    if (count > this.left) this.failed = true;
    else this.#at += count;
  }

  number(width: number): number {
    if (width > this.left) {
      this.failed = true;
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, width);
    this.#at += width;
    return value;
  }

  /** What a length of `width` bytes stands before. */
  vector(width: number): Reader {
    const length = this.number(width);
    if (this.failed || length > this.left) {
      this.failed = true;
      return new Reader(Buffer.alloc(0));
    }
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return new Reader(content);
  }

  text(): string {
    return this.#bytes.toString('latin1', this.#at);
  }
}

function invalid(reason: string): ClientHello {
  return { kind: 'invalid', reason };
}
