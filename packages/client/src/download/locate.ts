import { LibrarianError } from '@arriero/api'
import type { Librarian } from '../librarian.ts'
import { listTree } from './entries.ts'
import { findCopies, type Located } from './find-copies.ts'

/** A file or tree by its name; or a member of a tree by the name of both, as if it were a file of its own. */
export async function locate(
  librarians: readonly Librarian[],
  name: string,
  signal?: AbortSignal | undefined,
): Promise<Located> {
  try {
    return await findCopies(librarians, name, signal)
  } catch (error) {
    const member = isNotFound(error) ? await locateMember(librarians, name, signal) : undefined
    if (member) return member
    throw error
  }
}

/** Undefined: nothing above it is a tree. No name lies in another, so the first that is found is the only one. */
async function locateMember(
  librarians: readonly Librarian[],
  name: string,
  signal: AbortSignal | undefined,
): Promise<Located | undefined> {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    const tree = await findCopies(librarians, name.slice(0, at), signal).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (tree) return tree.file.kind === 'tree' ? memberOf(tree, name, name.slice(at + 1), signal) : undefined
  }
  return undefined
}

async function memberOf(tree: Located, name: string, path: string, signal: AbortSignal | undefined): Promise<Located> {
  const { members } = await listTree(tree, signal)
  const member = members.find(each => each.path === path)
  if (!member) {
    const what = `Cannot find ${name}: ${tree.file.name} is a tree, and has no file ${path} in it.`
    throw new LibrarianError('NotFound', what, { remedy: 'Fetch the whole tree to see what is in it.' })
  }
  const { size, sha256 } = member
  return { ...tree, file: { ...tree.file, name, kind: 'file', size, checksum: `sha256:::${sha256}` } }
}

function isNotFound(error: unknown): boolean {
  return error instanceof LibrarianError && error.code === 'NotFound'
}
