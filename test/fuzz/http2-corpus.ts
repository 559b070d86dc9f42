// Conversations and header blocks to begin from: known frames in any order, with pieces dropped, doubled and swapped.
import { HpackEncoder } from '../../proxy/http2/hpack-encoder.ts';
import * as wire from '../../proxy/http2/frames.ts';
import { FrameDice } from '../unit/proxy/http2/arbitrary-frames.ts';
import { frame, GET, headers, POST, SETTINGS_ACK, settings } from '../unit/proxy/http2/frame-bytes.ts';
import { mutate, pick } from './mutate.ts';
import type { Random } from './target.ts';

const CONNECT: readonly (readonly [string, string])[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...GET.slice(1),
];
const WORDS: readonly Buffer[] = [
  settings(),
  SETTINGS_ACK,
  headers(1),
  headers(3, POST, wire.END_HEADERS),
  headers(5, CONNECT, wire.END_HEADERS),
  headers(1, [[':status', '200']], wire.END_HEADERS),
  headers(1, [[':status', '103']], wire.END_HEADERS),
  headers(3, [['grpc-status', '0']]),
  frame(wire.DATA, 0, 1, 'some'),
  frame(wire.DATA, wire.END_STREAM, 3, 'bytes'),
  frame(wire.DATA, wire.PADDED, 5, '\x02ab\0\0'),
  frame(wire.RST_STREAM, 0, 1, '\0\0\0\x08'),
  frame(wire.WINDOW_UPDATE, 0, 0, '\x7f\xff\xff\xff'),
  frame(wire.WINDOW_UPDATE, 0, 1, '\0\0\0\x01'),
  frame(wire.GOAWAY, 0, 0, '\0\0\0\x01\0\0\0\0'),
  frame(wire.PING, 0, 0, '12345678'),
  frame(wire.PING, wire.ACK, 0, 'weftping'),
  frame(wire.CONTINUATION, wire.END_HEADERS, 1, '\x82\x84'),
  frame(wire.HEADERS, wire.END_HEADERS, 7, '\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff'),
  frame(wire.PUSH_PROMISE, wire.END_HEADERS, 1, '\0\0\0\x02\x82'),
];
const LATIN1_WORDS = WORDS.map((word) => word.toString('latin1'));

function conversation(random: Random, ...begin: readonly Buffer[]): Buffer {
  const dice = new FrameDice(random);
  const some = Array.from({ length: Math.floor(random() * 6) }, () => pick(random, WORDS));
  const whole = dice.conversation(...begin, ...some);
  if (random() < 0.5) return whole;
  // The greeting stays: behind a broken one there is nothing to find.
  const start = begin.reduce((sum, part) => sum + part.length, 0);
  const rest = mutate(random, whole.toString('latin1', start), LATIN1_WORDS);
  return Buffer.concat([whole.subarray(0, start), Buffer.from(rest, 'latin1')]);
}

export function makeClientBytes(random: Random): Buffer {
  return conversation(random, wire.PREFACE, settings(), SETTINGS_ACK);
}

export function makeServerBytes(random: Random): Buffer {
  const connect = random() < 0.5 ? settings([8, 1]) : settings();
  return conversation(random, connect, SETTINGS_ACK);
}

const NAMES = [':method', ':path', 'x-a', 'x-bc', 'accept', 'cookie', 'authorization', 'date', 'via', 'content-type'];
const VALUES = ['', 'GET', '/', 'a', 'text/html', 'abc'.repeat(30), 'é~|', '0', 'gzip, deflate'];

export function makeFields(random: Random): [string, string][] {
  return Array.from({ length: Math.floor(random() * 12) }, () => {
    const own = Math.floor(random() * 1e6).toString(36);
    return [pick(random, NAMES), random() < 0.3 ? own : pick(random, VALUES)];
  });
}

export function encodeFields(encoder: HpackEncoder, fields: readonly (readonly [string, string])[]): Buffer {
  encoder.begin();
  for (const [name, value] of fields) encoder.add(name, value);
  const length = encoder.finish();
  return Buffer.from(encoder.block.subarray(0, length));
}

const BLOCK_WORDS = [
  '\x82',
  '\xbe',
  '\xff',
  '\x20',
  '\x3f\xe1\x1f',
  '\x40\x01x\x01y',
  '\x00\x83\xff\xff\xff\x01y',
  '\x7f\xff\xff\xff\xff\x0f',
];

/** Three blocks of one connection, each behind its length in two bytes, changed here and there. */
export function makeBlocks(random: Random): Buffer {
  const encoder = new HpackEncoder(4_096);
  const blocks = Array.from({ length: 3 }, () => {
    const sound = encodeFields(encoder, makeFields(random)).toString('latin1');
    const block = Buffer.from(mutate(random, sound, BLOCK_WORDS), 'latin1');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Math.min(block.length, 65_535));
    return [length, block.subarray(0, 65_535)];
  });
  return Buffer.concat(blocks.flat());
}
