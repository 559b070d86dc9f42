// `weft drain INSTANCE`: nobody is sent to an instance any more; it goes on running, and can be let back.
import { apiClient } from '../api/client.ts';
import { apiTarget, type ApiFlags } from '../api/target.ts';
import { whoAmI } from '../who.ts';

export interface DrainArgs extends ApiFlags {
  /** As in `weft get proxies`. */
  readonly instance: string;
  /** Let it back. */
  readonly undo: boolean;
  readonly json: boolean;
}

const MOST_NAMED = 10;

/**
 * Exit code: 1 where callers have not acknowledged in time, and may call it still. Throws MeshError
 * `control-plane-unreachable` or `operator-refused`.
 */
export async function runDrain(args: DrainArgs, out: (line: string) => void): Promise<number> {
  const { instance, undo, json } = args;
  const client = apiClient(await apiTarget(args, Date.now()));
  const answer = undo ? await client.undrain(instance, whoAmI()) : await client.drain(instance, whoAmI());
  if (json) out(JSON.stringify(answer, null, 2));
  else if (undo) out(`${instance} is called again`);
  else if (answer.late.length === 0) {
    out(`${instance}: nobody calls it any more (\`weft drain --undo ${instance}\` lets it back)`);
  } else {
    const more = answer.late.length > MOST_NAMED ? ', …' : '';
    out(
      `${instance} is taken out, but these callers have not acknowledged that: ${answer.late.slice(0, MOST_NAMED).join(', ')}${more}`,
    );
  }
  return answer.late.length === 0 ? 0 : 1;
}
