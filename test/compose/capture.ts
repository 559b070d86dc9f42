// What goes over a network of the engine, seen on its bridge: tcpdump in the host's network namespace, and enough of
// pcap, Ethernet, IPv4 and TCP to read what it saw.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../support/eventually.ts';
import { docker } from './engine.ts';

const IMAGE = 'weft-test:capture';

export interface Segment {
  readonly ports: readonly [from: number, to: number];
  readonly payload: Buffer;
}

/** tcpdump on the base that the other images have anyway. */
export function buildCaptureImage(): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('docker', ['build', '-q', '-t', IMAGE, '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
    child.once('error', fail);
    child.once('close', (code) => (code === 0 ? done(said) : fail(new Error(`no ${IMAGE}: ${said}`))));
    child.stdin.end(
      'FROM node:24-bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends tcpdump\n',
    );
  });
}

export class Capture {
  readonly #child: ChildProcess;
  readonly #container: string;
  readonly #chunks: Buffer[] = [];
  #said = '';

  private constructor(child: ChildProcess, container: string) {
    this.#child = child;
    this.#container = container;
    child.stdout?.on('data', (data: Buffer) => this.#chunks.push(data));
    child.stderr?.on('data', (data: Buffer) => (this.#said += data.toString()));
  }

  /** Sees everything from when it resolves on. `network`: as `docker network ls` names it. */
  static async on(network: string): Promise<Capture> {
    const bridge = `br-${(await docker(['network', 'inspect', '-f', '{{.Id}}', network])).slice(0, 12)}`;
    const container = `weft-test-capture-${network}-${process.pid}`;
    const run = ['run', '--rm', '--name', container, '--network', 'host', '--cap-add', 'NET_RAW'];
    const tcpdump = ['tcpdump', '-i', bridge, '--immediate-mode', '-U', '-s', '0', '-w', '-', 'tcp'];
    const child = spawn('docker', [...run, IMAGE, ...tcpdump], { stdio: ['ignore', 'pipe', 'pipe'] });
    const capture = new Capture(child, container);
    await eventually(() => {
      if (!capture.#said.includes('listening on')) throw new Error(`tcpdump does not listen: ${capture.#said}`);
      return true;
    });
    return capture;
  }

  /** Ends it. */
  async segments(): Promise<readonly Segment[]> {
    const closed = once(this.#child, 'close');
    await docker(['kill', '--signal', 'INT', this.#container]);
    await closed;
    return readPcap(Buffer.concat(this.#chunks));
  }
}

/** Segments with a payload. Source: pcap file format 2.4, link type 1; RFC 791, RFC 9293. */
function readPcap(file: Buffer): readonly Segment[] {
  const segments: Segment[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    const frame = file.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (frame.length < 54 || frame.readUInt16BE(12) !== 0x0800) continue;
    const ip = frame.subarray(14, 14 + frame.readUInt16BE(16));
    const tcp = ip.subarray(((ip[0] ?? 0) & 0xf) * 4);
    const payload = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
    if (payload.length > 0) segments.push({ ports: [tcp.readUInt16BE(0), tcp.readUInt16BE(2)], payload });
  }
  return segments;
}

export function isAt(segment: Segment, port: number): boolean {
  return segment.ports.includes(port);
}

export function contains(segments: readonly Segment[], text: string): boolean {
  return segments.some(({ payload }) => payload.includes(text));
}

/** A TLS record of application data. RFC 8446 §5.1. */
export function isTlsData({ payload }: Segment): boolean {
  return payload[0] === 0x17 && payload[1] === 0x03 && payload[2] === 0x03;
}
