/** Writing that has reached the medium when it resolves (reliability 7). */
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { diskTrouble } from './trouble.ts'

/** A directory's entries. Some file systems have no such call: then the files' own must do. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

/** Makes the directories between, and tells which ones have a new entry. */
export async function makeParents(root: string, path: string, touched: Set<string>): Promise<void> {
  const parent = dirname(path)
  const first = await mkdir(parent, { recursive: true })
  touched.add(parent)
  if (first === undefined) return
  for (let at = parent; at.length >= root.length; at = dirname(at)) {
    touched.add(at)
    if (at === root) break
  }
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten
}

/** Replaces the file. */
export async function writeDurably(
  directory: string,
  name: string,
  text: string | AsyncIterable<string>,
): Promise<void> {
  const path = join(directory, name)
  try {
    const handle = await open(path, 'w', 0o644)
    try {
      for await (const piece of pieces(text)) await writeAll(handle, Buffer.from(piece))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await syncDirectory(directory)
  } catch (error) {
    throw diskTrouble(error, 'write', path)
  }
}

/** Few calls, however short the lines are. */
async function* pieces(text: string | AsyncIterable<string>): AsyncGenerator<string> {
  if (typeof text === 'string') return yield text
  let held = ''
  for await (const line of text) {
    held += line
    if (held.length < 1 << 16) continue
    yield held
    held = ''
  }
  yield held
}
