/**
 * A directory of links that looks like the receiver's side of a batch, so that one process carries it over one connection.
 * A batch has a place of its own for each file at the receiver, and rsync knows only one source and one target.
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { diskError } from '../../disk-error.ts'
import type { MethodItem } from '../../method.ts'

export interface Shadow extends AsyncDisposable {
  readonly path: string
  /** Directory at the receiver that has the same content. */
  readonly root: string
  /** Of the items, below both. */
  readonly names: readonly string[]
}

export async function castShadow(items: readonly MethodItem[]): Promise<Shadow> {
  const root = commonDirectory(items.map(({ target }) => target))
  const path = await mkdtemp(join(tmpdir(), 'arriero-rsync-'))
  const names: string[] = []
  const remove = () => rm(path, { recursive: true, force: true })
  try {
    const made = new Set<string>()
    for (const { source, target } of items) {
      const name = relative(root, target)
      const directory = dirname(join(path, name))
      if (!made.has(directory)) await mkdir(directory, { recursive: true })
      made.add(directory)
      await symlink(source, join(path, name))
      names.push(name)
    }
  } catch (error) {
    await remove()
    throw diskError(error, 'write to', path)
  }
  return { path, root, names, [Symbol.asyncDispose]: remove }
}

/** The deepest directory that all are in. */
export function commonDirectory(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map(path => dirname(path).split('/'))
  const end = first.findIndex((segment, at) => others.some(segments => segments[at] !== segment))
  return (end === -1 ? first : first.slice(0, end)).join('/') || '/'
}
