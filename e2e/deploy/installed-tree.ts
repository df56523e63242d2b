/**
 * What the image holds, without a container engine: the packages as they are built, and of the dependencies those that the lock file
 * does not mark as for development. Linked where the file system can, so that it takes neither room nor time. The manual is made for it,
 * without the libraries' reference.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { buildManual } from '../../scripts/build-manual.ts'
import { pathOf, readJson } from './files.ts'

interface LockEntry {
  readonly dev?: boolean
  readonly link?: boolean
  readonly resolved?: string
}

/** Of a package: what the image keeps of it. */
const kept = ['package.json', 'bin', 'dist']

/** Resolves to the path of the program in there. */
export async function makeInstalledTree(root: string): Promise<string> {
  const { packages } = await readJson<{ packages: Record<string, LockEntry> }>('package-lock.json')
  await mkdir(root, { recursive: true })
  const entries = Object.entries(packages).filter(([path]) => path !== '')
  const wanted = entries.filter(([path, { dev }]) => path.includes('node_modules/') && !dev).map(([path]) => path)
  // One that lies in another comes along with it, or, where that is for development, by itself.
  const top = wanted.filter(path => !wanted.some(other => path.startsWith(`${other}/`)))
  for (const path of top) {
    const { link, resolved } = packages[path]!
    await mkdir(dirname(join(root, path)), { recursive: true })
    if (link) await symlink(join(root, resolved!), join(root, path))
    // Of another system, the optional ones are not there.
    else if (existsSync(pathOf(path))) await copy(path, root)
  }
  for (const workspace of entries.map(([path]) => path).filter(path => /^packages\/[^/]+$/.test(path))) {
    await mkdir(join(root, workspace), { recursive: true })
    for (const each of kept) if (existsSync(pathOf(join(workspace, each)))) await copy(join(workspace, each), root)
  }
  await copy('package.json', root)
  await buildManual(join(root, 'docs/dist'))
  return join(root, 'packages/cli/bin/arriero.js')
}

async function copy(path: string, root: string): Promise<void> {
  const run = (how: string) => promisify(execFile)('cp', [how, pathOf(path), join(root, path)])
  await run('-al').catch(() => run('-a'))
}
