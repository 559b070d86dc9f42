// A process that writes configurations into a store until it is killed, and says over IPC which of them it was told are safe.
import { History } from '../../control-plane/snapshot/history.ts';
import { FileStore } from '../../control-plane/store/file-store.ts';

const [folder = '', seed = '0'] = process.argv.slice(2);
const complain = (what: string) => {
  process.send?.({ damage: what });
};
const store = new FileStore(folder, complain);
const history = new History({ store, onDamage: complain, most: 5 });
await history.load();
await history.recover();
const begin = history.entries.at(-1)?.number ?? 0;
for (let number = begin + 1; ; number++) {
  // Sizes from a few bytes to many blocks.
  const text = `${number} ${'x'.repeat((number * 7919 * (Number(seed) + 1)) % 60_000)}`;
  const hash = `hash-${number}`;
  const entry = { hash, time: number, source: 'apply', who: 'tester', services: number, edges: 0 } as const;
  await history.record(entry, [{ name: 'weft.yaml', text }], { names: ['weft.yaml'], hash: '' });
  process.send?.({ safe: number });
}
