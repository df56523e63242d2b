/** Outside the timed region: is what arrived what was served? `undefined` if so, else what is wrong. */
import { execFile } from 'node:child_process'
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
  const found = await readdir(actual)
  if (found.length !== names.length) return `${found.length} files instead of ${names.length}`
  for (const name of names) {
    const content = await readFile(join(actual, name)).catch(() => undefined)
    if (!content) return `${name} is missing`
    if (!content.equals(await original(name))) return `${name} differs`
  }
  return undefined
}
