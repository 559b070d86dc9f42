// The flags that every command has which speaks to a control plane.
import { Option, type Command } from 'commander';

export type { ApiFlags } from './target.ts';

/** `--dir`, or `--api` with `--cert`, `--key` and `--ca`; `WEFT_API` and so on in place of the latter. */
export function withApi(command: Command): Command {
  return command
    .option('--dir <folder>', 'state folder of the control plane of this machine', '.weft/control-plane')
    .addOption(new Option('--api <host:port>', 'a control plane far away, with --cert, --key and --ca').env('WEFT_API'))
    .addOption(new Option('--cert <file>', "the operator's certificate, of `weft ca issue`").env('WEFT_API_CERT'))
    .addOption(new Option('--key <file>', 'its key').env('WEFT_API_KEY'))
    .addOption(new Option('--ca <file>', 'root of the mesh').env('WEFT_API_CA'));
}
