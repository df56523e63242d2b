/**
 * `arriero serve` commits a file, a tree and a few more at once, and meets a fault at every durable call of every thread:
 * killed, EIO, ENOSPC. Started again, it must have kept all that it acknowledged, and nothing half; and the client's second
 * attempt must end well (reliability 4 K and E, 5 "commit to store").
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Acknowledged, checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { isCreating, isDone, parseCalls } from '../calls.ts'
import type { Fault } from '../strace.ts'
import { inject, type ThreadPoint, threadsOf, trace } from './attach.ts'
import { type Content, call, checksumOf, type Told, type Upload, upload } from './client.ts'
import { type Librarian, startLibrarian } from './librarian.ts'
import { look } from './look.ts'

export interface CommitSweepOptions {
  readonly faults: readonly Fault[]
  /** Every so many points. */
  readonly step: number
  readonly only: string
  /** Each point as it is made. */
  readonly isVerbose: boolean
  tell(name: string, problems: readonly string[], note: string): void
}

/** A fresh directory after so many points, so that looking at all of it stays quick. */
const pointsPerHome = 40
const settleMs = 15_000

export async function sweepCommits({ faults, step, only, isVerbose, tell }: CommitSweepOptions): Promise<void> {
  const names = faults.map(fault => `commit ${fault}`)
  if (!names.some(name => name.includes(only))) return
  const scratch = mkdtempSync(join(tmpdir(), 'arriero-commit-faults-'))
  try {
    const points = await findPoints(join(scratch, 'clean'))
    for (const fault of faults) {
      if (!`commit ${fault}`.includes(only)) continue
      await sweepFault(
        fault,
        points.filter((_, index) => index % step === 0),
        { scratch, isVerbose, tell },
      )
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Every durable call that any thread makes between a first announcement and the last answer. */
async function findPoints(home: string): Promise<ThreadPoint[]> {
  const librarian = await startLibrarian(home)
  await runAll(librarian, uploadsOf('warm'))
  const names = threadsOf(librarian.pid)
  const attached = await trace(librarian.pid, join(home, 'strace'))
  const told = await runAll(librarian, uploadsOf('clean'))
  await attached[Symbol.asyncDispose]()
  await librarian.stop()
  const failed = told.filter(({ outcome }) => outcome !== 'acknowledged')
  if (failed.length > 0) throw new Error(`commits fail without any fault: ${JSON.stringify(failed)}`)
  const counts = new Map<string, number>()
  const points: ThreadPoint[] = []
  for (const each of parseCalls(attached.log())) {
    const thread = names.get(each.thread) ?? `${each.thread}`
    const key = `${thread} ${each.name}`
    const ordinal = (counts.get(key) ?? 0) + 1
    counts.set(key, ordinal)
    const path = each.paths.at(-1) ?? /^\d+<([^>]*)>/.exec(each.args)?.[1] ?? ''
    const isOurs = path.startsWith(home) || path.startsWith('socket:') || /procfs|self\/fd/.test(path)
    if (each.name === 'openat' && !isCreating(each)) continue
    if (isDone(each) && isOurs && !path.endsWith('/stderr')) points.push({ thread, call: each.name, ordinal })
  }
  if (points.length < 50)
    throw new Error(`only ${points.length} durable calls were seen: the trace is not to be trusted`)
  return points
}

async function sweepFault(
  fault: Fault,
  points: readonly ThreadPoint[],
  { scratch, isVerbose, tell }: Pick<CommitSweepOptions, 'isVerbose' | 'tell'> & { scratch: string },
): Promise<void> {
  const before = performance.now()
  const problems: string[] = []
  let unreached = 0
  let home = ''
  let acknowledged: Acknowledged[] = []
  let librarian: Librarian | undefined
  for (const [index, point] of points.entries()) {
    if (index % pointsPerHome === 0 || !librarian) {
      await librarian?.stop()
      home = join(scratch, `${fault}-${index}`)
      acknowledged = []
      librarian = await startLibrarian(home)
      await runAll(librarian, uploadsOf('warm'))
    }
    let verdict = await sweepPoint(librarian, home, point, fault, acknowledged)
    // Which thread takes a task depends on timing.
    if (!verdict.isReached && verdict.problems.length === 0) {
      verdict = await sweepPoint(verdict.librarian, home, point, fault, acknowledged)
    }
    librarian = verdict.librarian
    if (isVerbose)
      console.log(
        `  ${showPoint(point)} ${verdict.problems.length > 0 ? 'FAIL' : verdict.isReached ? 'ok' : 'not reached'}`,
      )
    if (!verdict.isReached) unreached++
    problems.push(...verdict.problems.map(problem => `${showPoint(point)}: ${problem}`))
  }
  await librarian?.stop()
  const seconds = ((performance.now() - before) / 1000).toFixed(1)
  tell(`commit ${fault}`, problems, `${points.length} points, ${unreached} not reached, ${seconds} s`)
}

async function sweepPoint(
  librarian: Librarian,
  home: string,
  point: ThreadPoint,
  fault: Fault,
  acknowledged: Acknowledged[],
): Promise<{ librarian: Librarian; isReached: boolean; problems: string[] }> {
  const problems: string[] = []
  const wanted = uploadsOf(randomBytes(4).toString('hex'))
  const attached = await inject(librarian.pid, point, fault, join(home, 'strace'))
  const told = await runAll(librarian, wanted)
  await attached?.[Symbol.asyncDispose]()
  const log = attached?.log() ?? ''
  const isReached = log.includes(fault === 'SIGKILL' ? '+++ killed by SIGKILL +++' : '(INJECTED)')
  remember(wanted, told, acknowledged)
  await librarian.stop()
  const next = await startLibrarian(home)
  // Two faults of a disk within an hour disable its store: a person would enable it again.
  await call(next, 'admin/stores/state_change', { store_name: 'files', enabled: true })
  const found = await settled(home, acknowledged)
  problems.push(...found.map(text => `after the fault: ${text}`))
  // The warm-up of the next point too: threads and their caches are there then.
  const again = await runAll(next, wanted)
  for (const [index, each] of again.entries()) {
    if (each.outcome !== 'acknowledged' && each.outcome !== 'exists') {
      problems.push(`again: ${wanted[index]!.name} ${JSON.stringify(each)}`)
    }
  }
  remember(wanted, again, acknowledged)
  problems.push(...(await settled(home, acknowledged)).map(text => `again: ${text}`))
  return { librarian: next, isReached, problems }
}

/** What the client may rely on from now on. */
function remember(wanted: readonly Upload[], told: readonly Told[], acknowledged: Acknowledged[]): void {
  for (const [index, { name, content }] of wanted.entries()) {
    const { outcome } = told[index]!
    if (outcome !== 'acknowledged' && outcome !== 'exists') continue
    acknowledged.push({ name, content, checksum: checksumOf(content) })
  }
}

/** Sweeping goes on in the background after a start: what is still broken then, is broken. */
async function settled(home: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const end = performance.now() + settleMs
  for (;;) {
    const broken = checkInvariants(look(join(home, 'data')), acknowledged)
    if (broken.length === 0 || performance.now() > end) return broken
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function runAll(librarian: Librarian, wanted: readonly Upload[]): Promise<Told[]> {
  const [file, tree, ...rest] = wanted
  const told = [await upload(librarian, file!), await upload(librarian, tree!)]
  return [...told, ...(await Promise.all(rest.map(each => upload(librarian, each))))]
}

function uploadsOf(prefix: string): Upload[] {
  const bytes = (length: number, seed: number) => new Uint8Array(Buffer.alloc(length, `${prefix}-${seed}-`))
  const tree: Content = new Map<string, Uint8Array | null>([
    ['a.txt', bytes(300, 1)],
    ['sub/b.bin', bytes(70_000, 2)],
    ['empty', null],
  ])
  return [
    { name: `${prefix}/night/1.fits`, content: bytes(10_000, 3) },
    { name: `${prefix}/night/run`, content: tree },
    { name: `${prefix}/x`, content: bytes(10, 4) },
    { name: `${prefix}/deep/er/y`, content: bytes(0, 5) },
    { name: `${prefix}/deep/er/z`, content: bytes(2000, 6) },
  ]
}

function showPoint({ thread, call: name, ordinal }: ThreadPoint): string {
  return `${thread} ${name}#${ordinal}`
}
