import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'

/** The Node that runs us, and which one the launcher would hand over to. */
export function* examineNode(): Generator<Finding> {
  yield { check: 'arriero', level: 'ok', found: version }
  const major = Number(process.versions.node.split('.')[0])
  yield major >= 24
    ? { check: 'node', level: 'ok', found: `${process.version} (${process.execPath})` }
    : { check: 'node', level: 'fail', found: process.version, next: 'Install Node 24 or later.' }
  const pinned = findPinned(dirname(fileURLToPath(import.meta.url)))
  yield {
    check: 'launcher',
    level: 'ok',
    found: pinned === undefined ? 'no pinned Node: an older Node could not hand over' : `pinned Node at ${pinned}`,
  }
}

function findPinned(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder)) return undefined
  }
}
