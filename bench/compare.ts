/** Outside the timed region: is what arrived what was served? `undefined` if so, else what is wrong. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export async function sameFile(actual: string, original: string): Promise<string | undefined> {
  const sizes = await Promise.all(
    [actual, original].map(file =>
      stat(file).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  )
  if (sizes[0] !== sizes[1]) return `size ${sizes[0]} instead of ${sizes[1]}`
  return promisify(execFile)('cmp', [actual, original]).then(
    () => undefined,
    error => `differs: ${String(error.stdout || error.message).trim()}`,
  )
}

/** Exactly these names, each equal to its original. */
export async function sameFiles(
  actual: string,
  names: readonly string[],
  original: (name: string) => Promise<Buffer>,
): Promise<string | undefined> {
  // What a run keeps for itself is hidden.
  const found = (await readdir(actual)).filter(name => !name.startsWith('.'))
  if (found.length !== names.length) return `${found.length} files instead of ${names.length}`
  for (const name of names) {
    const content = await readFile(join(actual, name)).catch(() => undefined)
    if (!content) return `${name} is missing`
    if (!content.equals(await original(name))) return `${name} differs`
  }
  return undefined
}

/** Exactly these names, each with its MD5. */
export function sameDigests(actual: string, sums: ReadonlyMap<string, string>): Promise<string | undefined> {
  return sameFiles(actual, [...sums.keys()], async name => {
    const content = await readFile(join(actual, name))
    const isRight = createHash('md5').update(content).digest('hex') === sums.get(name)
    return isRight ? content : Buffer.from('another file')
  })
}
