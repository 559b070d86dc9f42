// `weft backup` and `weft restore`: the state of a control plane in one file, and back.
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { exists, fileDetail, isErrno, SECRET_MODE, writeFileAtomic } from '../../../host/files.ts';
import { packArchive, unpackArchive, type Archive } from '../../store/archive.ts';
import { readFolder, replaceFolder } from '../../store/state-folder.ts';
import { programVersion } from '../version.ts';

export interface BackupArgs {
  readonly file: string;
  /** State folder of the control plane. */
  readonly dir: string;
  readonly caDir: string;
  readonly withCa: boolean;
}

export interface RestoreArgs extends BackupArgs {
  /** What is there is moved aside. */
  readonly force: boolean;
}

type Print = (line: string) => void;

const [STATE, CA] = ['state', 'ca'];
const MOST_PACKED = 384 * 1024 * 1024;

/** The control plane may run. Throws MeshError `file-unreadable` and `usage`. */
export async function runBackup(args: BackupArgs, now: number, out: Print): Promise<number> {
  if (!(await mayBeReplaced(args.file))) {
    throw new MeshError('usage', { detail: `${args.file} is there and is no backup`, hint: 'choose another name' });
  }
  const state = await readFolder(args.dir, STATE);
  const ca = args.withCa ? await readFolder(args.caDir, CA) : [];
  if (state.length === 0) {
    throw new MeshError('file-unreadable', { detail: `${args.dir} holds no state`, hint: 'name it with --dir' });
  }
  const packed = packArchive({ time: now, version: programVersion(), files: [...state, ...ca] });
  await writeFileAtomic(args.file, packed, SECRET_MODE);
  const authority = args.withCa ? `, ${ca.length} of the authority` : '';
  out(`${args.file}: ${state.length} files${authority}; it holds secrets (mode 0600)`);
  return 0;
}

/**
 * The control plane must not run. Throws MeshError `state-corrupt` for an archive that is not whole, `usage`,
 * `address-in-use` and `file-unreadable`; nothing has changed then.
 */
export async function runRestore(args: RestoreArgs, now: number, out: Print): Promise<number> {
  const archive = unpackArchive(await readBounded(args.file), args.file);
  const holdsCa = archive.files.some(({ path }) => path.startsWith(`${CA}/`));
  if (args.withCa && !holdsCa) {
    throw new MeshError('usage', { detail: `${args.file} holds no authority`, hint: 'leave out --with-ca' });
  }
  await refuseWhileRunning(args.dir);
  if (!args.force) {
    await refuseWhereSomethingIs(args.dir);
    if (args.withCa) await refuseWhereSomethingIs(args.caDir);
  }
  // First: an authority beside a state that is not its own refuses nobody, the other way round all proxies.
  if (args.withCa) await putBack(args.caDir, CA, archive, now, out);
  await putBack(args.dir, STATE, archive, now, out);
  if (holdsCa && !args.withCa) out('the authority in it was left out (--with-ca)');
  return 0;
}

async function putBack(folder: string, prefix: string, archive: Archive, now: number, out: Print): Promise<void> {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const old = await replaceFolder(folder, prefix, archive.files, stamp);
  const count = archive.files.filter(({ path }) => path.startsWith(`${prefix}/`)).length;
  out(
    `${folder}: ${count} files as of ${new Date(archive.time).toISOString()}${old === null ? '' : `; what was there is in ${old}`}`,
  );
}

async function mayBeReplaced(file: string): Promise<boolean> {
  if (!(await exists(file))) return true;
  try {
    unpackArchive(await readBounded(file), file);
    return true;
  } catch {
    return false;
  }
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MOST_PACKED) throw new Error(`${size} bytes, more than ${MOST_PACKED}`);
    return await readFile(file);
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(file, cause), cause });
  }
}

async function refuseWhileRunning(dir: string): Promise<void> {
  const socket = adminSocketPath(join(dir, 'admin.sock'));
  const runs = await new Promise<boolean>((done) => {
    const connection = connect(socket);
    connection.once('connect', () => (connection.destroy(), done(true)));
    connection.once('error', () => done(false));
  });
  if (!runs) return;
  throw new MeshError('address-in-use', { detail: `a control plane runs on ${dir}`, hint: 'stop it first' });
}

async function refuseWhereSomethingIs(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return;
    throw new MeshError('file-unreadable', { detail: fileDetail(folder, cause), cause });
  }
  throw new MeshError('usage', { detail: `${folder} is not empty`, hint: '--force moves what is there aside' });
}
