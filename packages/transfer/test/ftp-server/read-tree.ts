import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Tree } from './tree.ts'

/** Puts a copy of everything below a directory into the tree, empty directories too. Returns how many files. */
export async function readTree(tree: Tree, directory: string): Promise<number> {
  let files = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const served = `/${relative(directory, path)}`
    if (entry.isDirectory()) tree.directories.add(Buffer.from(served, 'utf8').toString('latin1'))
    if (!entry.isFile()) continue
    tree.put(served, await readFile(path), Math.floor((await stat(path)).mtimeMs))
    files++
  }
  return files
}
