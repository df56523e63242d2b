/** Files and trees that come on a carried disk: `arriero sneakernet ingest` while its librarian meets the fault (reliability G4). */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { type RunningProgram, startArriero } from '../../program.ts'
import { type Beside, call, type Door, isKept, type Sending, sendByCopy, type Told } from '../commit/client.ts'
import { type CommitWorkload, fileOf, treeOf } from '../commit/workloads.ts'

/** A command waits for its librarian; nobody waits for the command for longer. */
const patienceMs = 30_000
const pollMs = 20

export const carryWorkload: CommitWorkload = {
  name: 'disk',
  isFirst: false,
  hasOneAnswer: false,
  isByItself: true,
  uploadsOf: prefix => [fileOf(prefix), treeOf(prefix)],
  send: sendByDisk,
}

/** @param person a directory that is made */
export async function logIn(person: string, librarians: Readonly<Record<string, Door>>): Promise<void> {
  mkdirSync(join(person, 'home'), { recursive: true })
  for (const [name, { url, authorization }] of Object.entries(librarians)) {
    const [user, ...password] = atob(authorization.replace('Basic ', '')).split(':')
    const file = join(person, `${name}.password`)
    writeFileSync(file, password.join(':'), { mode: 0o600 })
    await good(person, ['login', name, url, '--user', user!, '--password-file', file])
  }
}

/** The disk of these, by the first. */
const disks = new WeakMap<Sending, string>()

async function sendByDisk(door: Door, sendings: readonly Sending[]): Promise<readonly Told[]> {
  const { person } = door.beside!
  const disk = disks.get(sendings[0]!) ?? (await pack(door.beside!, sendings))
  disks.set(sendings[0]!, disk)
  const { process: child, outcome } = start(person, ['sneakernet', 'ingest', disk, '--librarian', 'here'])
  await untilEnded(child, door)
  child.kill('SIGKILL')
  const { code, stderr, stdout } = await outcome
  const told: Told =
    code === 0 ? { outcome: 'acknowledged' } : { outcome: 'unknown', reason: `exit code ${code}: ${stderr}${stdout}` }
  return sendings.map(() => told)
}

/** Not sent by the line meanwhile: what is packed is on its way. */
async function pack(beside: Beside, sendings: readonly Sending[]): Promise<string> {
  const disk = mkdtempSync(join(beside.person, 'disk-'))
  await allowLine(beside, false)
  for (const { upload } of sendings) {
    const told = await sendByCopy(beside, { upload })
    if (!isKept(told)) throw new Error(`${upload.name} cannot be uploaded: ${JSON.stringify(told)}`)
  }
  await good(beside.person, ['sneakernet', 'pack', '--to', 'arriero', '--disk', disk, '--librarian', 'beside'])
  await allowLine(beside, true)
  return disk
}

async function allowLine(beside: Beside, transfers_enabled: boolean): Promise<void> {
  const what = { librarian_name: 'arriero', transfers_enabled }
  const { status, body } = await call(beside, 'admin/librarians/transfer_status/set', what)
  if (status >= 300) throw new Error(`the line cannot be switched: ${JSON.stringify(body)}`)
}

/** Or until nobody waits for it any longer. */
async function untilEnded(child: RunningProgram['process'], door: Door): Promise<void> {
  const end = performance.now() + patienceMs
  const isGoing = () => child.exitCode === null && child.signalCode === null
  while (isGoing() && door.isRunning?.() !== false && performance.now() < end) await setTimeoutPromise(pollMs)
}

async function good(person: string, args: readonly string[]): Promise<void> {
  const { code, stderr, stdout } = await start(person, args).outcome
  if (code !== 0) throw new Error(`arriero ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`)
}

function start(person: string, args: readonly string[]): RunningProgram {
  const env = { HOME: join(person, 'home'), XDG_STATE_HOME: join(person, 'state'), HL_CLIENT_CONFIG: undefined }
  return startArriero(args, { cwd: person, env })
}
