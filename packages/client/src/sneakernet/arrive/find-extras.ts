import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DATA, isSystems } from '../bag/layout.ts'
import { bagPaths, type SignedBag } from '../bag/open-bag.ts'

/** Files below `data/` that no list names: somebody has put them there since. They are left alone. */
export async function* findExtras(bag: SignedBag, signal: AbortSignal): AsyncGenerator<string> {
  const listed = new Set<string>()
  for await (const path of bagPaths(bag, signal)) listed.add(path.normalize('NFC'))
  yield* walk(bag.directory, DATA, listed, signal)
}

async function* walk(
  root: string,
  below: string,
  listed: ReadonlySet<string>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  signal.throwIfAborted()
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const path = `${below}/${entry.name}`
    if (below === DATA && isSystems(entry.name)) continue
    if (entry.isDirectory()) yield* walk(root, path, listed, signal)
    else if (!listed.has(path.normalize('NFC'))) yield path
  }
}
