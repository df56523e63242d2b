import { spawnSync } from 'node:child_process'
import { constants } from 'node:fs'
import { access, link, mkdtemp, open, rename, rm, statfs } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formatSize } from '../units.ts'
import type { Finding } from './finding.ts'

/** Filesystems on which a rename or a sync may promise less than it says, by statfs type. */
const remote: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  1702057286: 'FUSE',
  198183888: 'Lustre',
  1196443219: 'GPFS',
}
const volatile: Readonly<Record<number, string>> = { 16914836: 'tmpfs', 2240043254: 'ramfs' }

const littleSpace = 1024 ** 3

/** What the directory for downloads can do; tried, not guessed. */
export async function* examineDirectory(directory: string): AsyncGenerator<Finding> {
  const path = resolve(directory)
  try {
    await access(path, constants.W_OK | constants.X_OK)
  } catch (error) {
    const found = `${path}: ${(error as NodeJS.ErrnoException).code}`
    yield { check: 'directory', level: 'fail', found, next: 'Choose another with -d, or mend its permissions.' }
    return
  }
  yield { check: 'directory', level: 'ok', found: `${path} can be written` }
  yield* examineSpace(path)
  yield* examineAbilities(path)
}

async function* examineSpace(path: string): AsyncGenerator<Finding> {
  const { bavail, bsize, type } = await statfs(path)
  const free = bavail * bsize
  const found = `${formatSize(free)} free`
  yield free < littleSpace
    ? { check: 'space', level: 'warn', found, next: 'Make room, or choose another directory with -d.' }
    : { check: 'space', level: 'ok', found }
  if (volatile[type]) {
    const next = 'Choose a directory on a disk for what must last.'
    yield { check: 'filesystem', level: 'warn', found: `${volatile[type]}: gone after a restart`, next }
  } else if (remote[type]) {
    const next = 'Nothing to do; after a crash of the server, run: arriero verify'
    yield { check: 'filesystem', level: 'warn', found: `${remote[type]}: durability is the server’s word`, next }
  } else {
    yield { check: 'filesystem', level: 'ok', found: `local (type 0x${type.toString(16)})` }
  }
}

/** In a directory of its own, which is removed whatever happens. */
async function* examineAbilities(path: string): AsyncGenerator<Finding> {
  const folder = await mkdtemp(join(path, '.arriero-doctor-'))
  try {
    const file = join(folder, 'a')
    const handle = await open(file, 'w')
    try {
      await handle.write(Buffer.alloc(4096, 1))
      yield await ability('fsync', () => handle.sync(), 'files are durable when they appear', 'use another filesystem')
    } finally {
      await handle.close()
    }
    const noLink = 'targets are put in place by rename instead: another program’s file of that name might be replaced'
    yield await ability(
      'hard links',
      () => link(file, join(folder, 'b')),
      'targets are never overwritten',
      noLink,
      'warn',
    )
    yield await ability('rename', () => rename(file, join(folder, 'c')), 'atomic', 'use another filesystem')
    yield await ability(
      'directory sync',
      () => syncDirectory(folder),
      'names are durable',
      'names may be lost in a power cut',
      'warn',
    )
    yield await ability(
      'syncfs',
      () => syncGroup(folder),
      'many small files are made durable together',
      'one sync for each small file: slower',
      'warn',
    )
    if (constants.O_DIRECT !== undefined) {
      yield await ability('O_DIRECT', () => openDirect(join(folder, 'd')), 'supported', 'the page cache is used', 'ok')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function ability(
  check: string,
  attempt: () => Promise<unknown>,
  good: string,
  otherwise: string,
  levelOfFailure: Finding['level'] = 'fail',
): Promise<Finding> {
  try {
    await attempt()
    return { check, level: 'ok', found: good }
  } catch (error) {
    const found = `${(error as NodeJS.ErrnoException).code}: ${otherwise}`
    return { check, level: levelOfFailure, found }
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** As the engine does it: Node itself has no syncfs. */
async function syncGroup(path: string): Promise<void> {
  const { error, status } = spawnSync('sync', ['-f', '--', path], { stdio: 'ignore' })
  if (error) throw error
  if (status !== 0) throw Object.assign(new Error('sync -f failed'), { code: `sync -f: ${status}` })
}

async function openDirect(path: string): Promise<void> {
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_DIRECT)
  await handle.close()
}
