// Entry of the image's HEALTHCHECK: a file of its own, because it runs every few seconds and shall load nothing else.
import { askHealth } from './health.ts';

const { ready, said } = await askHealth(process.env);
process.stdout.write(`${said}\n`);
process.exitCode = ready ? 0 : 1;
