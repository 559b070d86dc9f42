// Plain names of services: each has a loopback address of its own, derived from its name alone, so that hosts lines
// written once stay true while other services come and go.

/** Last octets 0 and 255 are left out: they read as a network and a broadcast. */
const HOSTS = 254;
const ADDRESSES = 256 * HOSTS;

/**
 * Service → its address in 127.15.0.0/16, each its own. The order of the names means nothing. A service keeps its address
 * when another comes or goes, unless the two names fall on one address: then the first of them in code unit order has it.
 * Throws RangeError for more names than addresses (65,024).
 */
export function loopbackAddresses(serviceNames: readonly string[]): ReadonlyMap<string, string> {
  const names = [...new Set(serviceNames)].sort();
  if (names.length > ADDRESSES) throw new RangeError(`${names.length} services, at most ${ADDRESSES} have an address`);
  const owners = new Map<number, string>();
  const homeless: string[] = [];
  for (const name of names) {
    const home = slotOf(name, 0);
    if (owners.has(home)) homeless.push(name);
    else owners.set(home, name);
  }
  // Only after everybody who can be at home is: who is not must not push out others.
  for (const name of homeless) {
    let attempt = 1;
    while (owners.has(slotOf(name, attempt))) attempt++;
    owners.set(slotOf(name, attempt), name);
  }
  const addresses = new Map([...owners].map(([slot, name]) => [name, addressOf(slot)]));
  return new Map(names.map((name) => [name, addresses.get(name) ?? '']));
}

/** Further attempts walk on from the first, so that they end. */
function slotOf(name: string, attempt: number): number {
  return (hashOf(name) + attempt) % ADDRESSES;
}

function addressOf(slot: number): string {
  return `127.15.${Math.floor(slot / HOSTS)}.${(slot % HOSTS) + 1}`;
}

/** 32 bits. Source: FNV-1a, finished by murmur3's fmix32, as short names differ in few bits. Never to be changed. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Where the addresses of names are; nothing else of the mesh is there. */
export const LOOPBACK_BLOCK = '127.15.0.0/16';

/**
 * The port at a name's address that stands in for `port` where the app has that on every address, so that nobody else can
 * bind it: `weft netns` sends calls there. 32768 further on, or 16384 back where that is too far; never privileged.
 */
export function standInPort(port: number): number {
  return port < 32_768 ? port + 32_768 : port - 16_384;
}
