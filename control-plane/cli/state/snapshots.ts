// `weft get snapshots`: which configurations were in force, when, and by whom.
import { MeshError } from '../../../core/kit/error.ts';
import type { KnownSnapshot } from '../../snapshot/changes.ts';
import { askControlPlane } from './ask.ts';

export interface SnapshotsArgs {
  readonly json: boolean;
  /** State folder of the control plane. */
  readonly dir: string;
}

/** Throws MeshError `control-plane-unreachable`. */
export async function runGetSnapshots(args: SnapshotsArgs, out: (line: string) => void): Promise<number> {
  const answer = await askControlPlane(args.dir, '/snapshots', null);
  if (typeof answer !== 'object' || answer === null || !('snapshots' in answer) || !Array.isArray(answer.snapshots)) {
    throw new MeshError('control-plane-unreachable', { detail: `what serves ${args.dir} knows no snapshots` });
  }
  if (args.json) out(JSON.stringify(answer, null, 2));
  // The peer is our own program of the same version.
  else for (const line of snapshotTable(answer.snapshots as KnownSnapshot[])) out(line);
  return 0;
}

/** Newest first; the star is what runs. */
export function snapshotTable(snapshots: readonly KnownSnapshot[]): readonly string[] {
  const rows = snapshots.map(({ hash, time, source, who, services, edges, inForce }) => [
    inForce ? '*' : ' ',
    hash,
    new Date(time).toISOString().replace(/\.\d+Z$/, 'Z'),
    source,
    `${services}`,
    `${edges}`,
    who,
  ]);
  return columns([[' ', 'SNAPSHOT', 'TIME', 'SOURCE', 'SERVICES', 'EDGES', 'WHO'], ...rows]);
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
