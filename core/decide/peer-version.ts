// Which versions of the two programs may speak to each other: those of one major version. The contract says `weft.v1`,
// only adds to it, and takes what it does not know for absent, so a minor version more or less is no obstacle.

const VERSION = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][0-9A-Za-z.+-]{1,100})?$/;

/** @returns why the other one cannot be spoken to, in words for both ends; null: it can */
export function versionFlaw(own: string, peer: string): string | null {
  const major = VERSION.exec(peer)?.[1];
  if (major === undefined) return 'version must be major.minor.patch';
  if (major === VERSION.exec(own)?.[1]) return null;
  return `the control plane is of version ${own} and the proxy of ${peer}: both must be of one major version`;
}
