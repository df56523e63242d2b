import { lstat, opendir } from 'node:fs/promises'
import { printable } from '@arriero/transfer'
import { whyNoMember } from '../names.ts'
import type { Scanned } from '../store.ts'
import { PRIVATE } from './layout.ts'
import { isCommittedTree } from './modes.ts'
import { codeOf } from './system-error.ts'

/** Names of the catalogue are no longer. */
const NAME_LENGTH = 256

/** Everything below the root, by raw names: text APIs show a name that is no UTF-8 as one that does not exist (reliability 6). */
export async function* scan(root: string, signal?: AbortSignal): AsyncGenerator<Scanned> {
  const waiting: Buffer[] = [Buffer.alloc(0)]
  for (let below = waiting.pop(); below; below = waiting.pop()) {
    const directory = await opendir(pathBytes(root, below), { encoding: 'buffer' as BufferEncoding, bufferSize: 512 })
    for await (const entry of directory) {
      signal?.throwIfAborted()
      const raw = entry.name as unknown as Buffer
      if (below.length === 0 && raw.equals(Buffer.from(PRIVATE))) continue
      const path = below.length === 0 ? raw : Buffer.concat([below, Buffer.from('/'), raw])
      const stats = await lstat(pathBytes(root, path)).catch(() => undefined)
      // It was removed since it was listed.
      if (!stats) continue
      const isCommitted = stats.isDirectory() && isCommittedTree(stats.mode)
      const isStore = stats.isDirectory() && !isCommitted && (await isStoreRoot(root, path))
      if (stats.isDirectory() && !isStore) waiting.push(path)
      const kind = isStore ? 'store' : kindOf(stats)
      yield { ...namesOf(path), kind, size: stats.isFile() ? stats.size : 0, ...(isCommitted ? { isCommitted } : {}) }
    }
  }
}

/** A private directory that is closed to us is another user's. */
async function isStoreRoot(root: string, path: Buffer): Promise<boolean> {
  const marker = Buffer.concat([pathBytes(root, path), Buffer.from(`/${PRIVATE}/marker.json`)])
  return await lstat(marker).then(
    () => true,
    error => codeOf(error) === 'EACCES',
  )
}

function pathBytes(root: string, path: Buffer): Buffer {
  return path.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(`${root}/`), path])
}

function kindOf(stats: { isFile(): boolean; isDirectory(): boolean }): Scanned['kind'] {
  return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other'
}

function namesOf(path: Buffer): Pick<Scanned, 'name' | 'shown'> {
  const text = path.toString()
  const isName = Buffer.from(text).equals(path) && text.length <= NAME_LENGTH && whyNoMember(text) === undefined
  return { name: isName ? text : undefined, shown: printable(text) }
}
