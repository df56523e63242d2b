/** What the file system can do, tried before anything is entrusted to it (reliability 7.10, 7.11). */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { Held } from './held.ts'
import { type Layout, privateDirectories } from './layout.ts'
import { systemDurability } from './sync-all.ts'
import { codeOf, systemError } from './system-error.ts'

export interface FileSystemPowers {
  /** From staging to the private directory. */
  readonly canClone: boolean
  /** Readings past the page cache. */
  readonly canReadDirectly: boolean
}

/** @throws LibrarianError Configuration where something is missing without which no promise can be kept. */
export function probe(name: string, layout: Layout): FileSystemPowers {
  checkDevices(name, layout)
  const directory = join(layout.work, `probe-${randomBytes(8).toString('hex')}`)
  try {
    mkdirSync(directory, 0o700)
    checkPrimitives(name, directory)
    return { canClone: canClone(layout.staging, directory), canReadDirectly: canReadDirectly(join(directory, 'first')) }
  } catch (error) {
    throw systemError(error, 'probe', layout.root)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function checkDevices(name: string, layout: Layout): void {
  const { dev } = statSync(layout.root)
  for (const directory of privateDirectories) {
    if (statSync(layout[directory]).dev === dev) continue
    refuse(name, `${layout[directory]} must be on the file system of ${layout.root}, it is on another`)
  }
  if (!existsSync('/proc/self/fd')) refuse(name, 'procfs must be mounted, it is not')
}

function checkPrimitives(name: string, directory: string): void {
  const [first, second] = [join(directory, 'first'), join(directory, 'second')]
  writeFileSync(first, Buffer.alloc(4096, 1), { flag: 'wx' })
  if (!fails('EEXIST', () => writeFileSync(first, '', { flag: 'wx' }))) refuse(name, 'O_EXCL must be kept')
  if (fails('EPERM', () => linkSync(first, second)) || statSync(first).nlink !== 2)
    refuse(name, 'it must have hard links')
  if (!fails('EEXIST', () => linkSync(first, second))) refuse(name, 'a link must not replace a name')
  renameSync(second, join(directory, 'third'))
  systemDurability.path(directory)
  if (existsSync(join(directory, 'FIRST'))) refuse(name, 'upper and lower case must be two names')
  writeFileSync(join(directory, 'n'.repeat(255)), '')
  using held = Held.place(directory)
  if (!held.look('first')) refuse(name, 'descriptors of directories must lead to what is in them')
}

function fails(code: string, act: () => void): boolean {
  try {
    act()
    return false
  } catch (error) {
    if (codeOf(error) === code) return true
    throw error
  }
}

function refuse(name: string, why: string): never {
  throw new LibrarianError('Configuration', `Cannot use store ${name}: ${why}`)
}

function canClone(from: string, to: string): boolean {
  const probed = join(from, `.arriero-probe-${randomBytes(8).toString('hex')}`)
  try {
    writeFileSync(probed, Buffer.alloc(4096, 1), { flag: 'wx' })
    copyFileSync(probed, join(to, 'clone'), constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    return true
  } catch {
    return false
  } finally {
    rmSync(probed, { force: true })
  }
}

function canReadDirectly(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_DIRECT))
    return true
  } catch {
    return false
  }
}
