// Generates proto/gen from proto/weft/v1: the types of every message, and one descriptor as data, so that nobody parses
// a .proto file at start. `npm run proto`; a test holds the committed output to it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const protoFolder = join(root, 'proto');

/** Writes all of proto/gen into a folder, which is emptied first. */
export function generate(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = protoFiles();
  generateTypes(folder, files);
  writeFileSync(join(folder, 'descriptor.json'), descriptor(files));
}

function protoFiles(): string[] {
  return readdirSync(join(protoFolder, 'weft', 'v1'))
    .filter((name) => name.endsWith('.proto'))
    .sort()
    .map((name) => join('weft', 'v1', name));
}

function generateTypes(folder: string, files: readonly string[]): void {
  const tool = join(root, 'node_modules', '@grpc', 'proto-loader', 'build', 'bin', 'proto-loader-gen-types.js');
  // What proto/codec/services.ts tells proto-loader must be the same: the types hold for these options only.
  const options = ['--longs=Number', '--enums=String', '--defaults', '--oneofs', '--bytes=Buffer'];
  const output = ['--grpcLib=@grpc/grpc-js', '--importFileExtension=.ts', `--outDir=${folder}`, '--includeComments'];
  const done = spawnSync(process.execPath, [tool, ...options, ...output, '--includeDirs=.', '--', ...files], {
    cwd: protoFolder,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`proto-loader-gen-types failed: ${done.stderr}`);
}

function descriptor(files: readonly string[]): string {
  const parsed = new protobuf.Root();
  parsed.resolvePath = (_origin, target) => join(protoFolder, target);
  parsed.loadSync([...files]);
  parsed.resolveAll();
  return `${JSON.stringify(parsed.toJSON(), null, 1)}\n`;
}

if (import.meta.main) generate(join(protoFolder, 'gen'));
