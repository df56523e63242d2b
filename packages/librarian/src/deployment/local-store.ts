/** A store's directories, as the server's user meets them. Read only: no file is made to try whether one can be. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { othersStore } from '../stores/keeper.ts'
import { layoutOf } from '../stores/local/layout.ts'
import { readMarker } from '../stores/local/marker.ts'
import { localStoreData } from '../stores/settings.ts'
import type { DeploymentFinding, Findings } from './finding.ts'
import type { LookedStore } from './stores.ts'

const check = 'store'

/** @param owner UUID of the catalogue; undefined: it has none yet, or cannot be asked */
export async function* examineLocalStore(store: LookedStore, owner: string | undefined): Findings {
  const { name } = store
  const parsed = localStoreData.safeParse(store.data)
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
    yield { check, level: 'fail', found: `${name}: ${wrong}`, next: 'Correct its store_data in the settings.' }
    return
  }
  const { store_path: root, staging_path: staging } = parsed.data
  const problems = [directoryProblem(name, root), directoryProblem(name, staging)].filter(each => each !== undefined)
  yield* problems
  if (problems.length > 0) return
  const { uid, dev } = statSync(root)
  if (process.geteuid?.() === 0 && uid !== 0) yield asRoot(name, uid)
  if (dev !== statSync(staging).dev) {
    const found = `${name}: ${staging} is not on the file system of ${root}`
    yield { check, level: 'fail', found, next: 'Put both below one mount: uploads are taken over by rename.' }
  }
  yield await markerFinding(store, root, owner)
  yield syncFinding(name, root)
}

/** What it sees is not what the server meets. */
function asRoot(name: string, uid: number): DeploymentFinding {
  const found = `${name} belongs to user ${uid}, and root, who asks, may do everything`
  return {
    check: 'user',
    level: 'warn',
    found,
    next: `Run this as the server’s user: sudo -u '#${uid}' arriero doctor …`,
  }
}

function directoryProblem(name: string, path: string): DeploymentFinding | undefined {
  let found: Stats
  try {
    found = statSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isAway = code === 'ENOENT' || code === 'ENOTDIR'
    const why = isAway ? 'does not exist' : `cannot be looked at: ${code}`
    const next = isAway
      ? `Mount its disk (in a container: at this very path), or make the directory: mkdir -p '${path}'`
      : 'Let the server’s user enter every directory above it (chmod g+x), or run it as another user.'
    return { check, level: 'fail', found: `${name}: ${path} ${why}`, next }
  }
  if (!found.isDirectory()) {
    const next = 'Correct its path in the settings, or move away what lies there.'
    return { check, level: 'fail', found: `${name}: ${path} is no directory`, next }
  }
  return writeProblem(name, path, found)
}

function writeProblem(name: string, path: string, { uid, gid, mode }: Stats): DeploymentFinding | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EROFS') {
      const next = 'Mount it for writing; a disk that has turned read-only by itself is failing (dmesg).'
      return { check, level: 'fail', found: `${name}: ${path} is on a read-only file system`, next }
    }
    const owner = `user ${uid}, group ${gid}, mode ${(mode & 0o7777).toString(8)}`
    const us = `user ${process.geteuid?.()}, group ${process.getegid?.()}`
    const found = `${name}: ${path} (${owner}) cannot be written by ${us}`
    const next = 'Run the server as that user (User= of systemd, user: of a container, runAsUser), or chown it.'
    return { check, level: 'fail', found, next }
  }
}

async function markerFinding(
  { name, uuid }: LookedStore,
  root: string,
  owner: string | undefined,
): Promise<DeploymentFinding> {
  const layout = layoutOf(root, root)
  const found = await readMarker(layout)
  const fail = (what: string, next: string): DeploymentFinding => ({
    check,
    level: 'fail',
    found: `${name}: ${what}`,
    next,
  })
  if ('reason' in found) {
    const made = statSync(layout.private, { throwIfNoEntry: false })
    if (!made && uuid === undefined)
      return { check, level: 'ok', found: `${name}: ${root} is empty of stores; the first start makes it one` }
    if (made && made.uid !== process.geteuid?.()) {
      const next = 'Run the server as that user; never two servers of different users on one store.'
      return fail(`${root} was made a store by user ${made.uid}, this is user ${process.geteuid?.()}`, next)
    }
    return fail(found.reason, 'Mount the disk that belongs there, or put the marker back from a copy.')
  }
  if (uuid !== undefined && found.uuid !== uuid) {
    return fail(
      `another store is mounted at ${root} (${found.uuid}, not ${uuid})`,
      'Mount the right disk, or correct add_stores.',
    )
  }
  const others = othersStore(found.keeper, owner === undefined ? undefined : { catalogue: owner })
  if (others) return fail(others.reason, others.remedy)
  return { check, level: 'ok', found: `${name}: ${root} is there, ours to write` }
}

/** As the store does it before anything is acknowledged. */
function syncFinding(name: string, root: string): DeploymentFinding {
  const { error, status, stderr } = spawnSync('sync', ['-f', '--', root], { encoding: 'utf8' })
  const why = error
    ? (error as NodeJS.ErrnoException).code
    : status === 0
      ? undefined
      : stderr.trim() || `status ${status}`
  if (why === undefined) return { check: 'sync', level: 'ok', found: `${name}: sync -f works` }
  const next = 'Install coreutils (that of BusyBox is not enough), in the image or the machine of the server.'
  return { check: 'sync', level: 'fail', found: `${name}: sync -f does not work: ${why}`, next }
}
