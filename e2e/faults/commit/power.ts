/**
 * Power cuts (reliability 4 P): a librarian keeps catalogue, store and staging area on a small disk of its own, which stops at
 * a random instant without writing what it holds in memory. A PostgreSQL has its own files on the same disk, and ends with it.
 * What was acknowledged by then is there when it is mounted again. A kill alone never tests a sync.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { enableStore, isKept } from './client.ts'
import { type Engine, openEngine } from './engines.ts'
import { Place } from './place.ts'
import { type CommitWorkload, commitWorkloads } from './workloads.ts'

export interface PowerOptions {
  readonly engine: Engine['name']
  readonly count: number
  readonly random: () => number
  readonly scratch: string
  readonly isVerbose: boolean
}

export interface PowerReport {
  /** Each cut that broke a promise. */
  readonly failures: readonly string[]
  readonly cuts: number
  /** Uploads that were acknowledged before a cut, all told. */
  readonly acknowledged: number
  readonly seconds: number
}

/** A PostgreSQL keeps some of its log. */
const diskSizes = { sqlite: '192M', postgres: '512M' } as const
/** Instants lie within the time that so many uploads take. */
const uploadsUntilCut = 3
/** As many are cut at the very answer: the sharpest test of what it promises. */
const atAnswer = 0.5
/** A disk fills up. */
const cutsPerDisk = 25
const convergeMs = 60_000
const unmountMs = 20_000

/** Says when it is ready, and on the next line stops the file system at once: FS_IOC_SHUTDOWN, without flushing its log. */
const cutter = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
sys.stdin.readline()
fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))
print('cut', flush=True)
`

/** Why there can be no power cut here; undefined: there can. */
export async function whyNoPowerCut(scratch: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting needs root'
  const trial = join(scratch, 'power-trial')
  try {
    await using disk = await Disk.make(trial, '16M')
    await (await disk.armed())()
    return undefined
  } catch (error) {
    return `a file system cannot be mounted and stopped here: ${(error as Error).message.split('\n').slice(0, 2).join(' ')}`
  } finally {
    rmSync(trial, { recursive: true, force: true })
  }
}

/** Each of which ends well where nothing is cut: what a rival is told says nothing about a disk. */
const workloads = commitWorkloads.filter(({ isContested, isInPlace }) => !isContested && !isInPlace)

export async function cutPower({
  engine: name,
  count,
  random,
  scratch,
  isVerbose,
}: PowerOptions): Promise<PowerReport | undefined> {
  const before = performance.now()
  const failures: string[] = []
  let acknowledged = 0
  for (let done = 0; done < count; done += cutsPerDisk) {
    const folder = join(scratch, `power-${name}-${done}`)
    await using disk = await Disk.make(folder, diskSizes[name])
    await using engine = await openEngine(name, disk.mountPoint)
    if (!engine) return undefined
    const data = join(disk.mountPoint, 'data')
    mkdirSync(data)
    await using place = new Place(join(folder, 'home'), data, await engine.open(data))
    await place.start()
    for (let cut = done; cut < Math.min(count, done + cutsPerDisk); cut++) {
      const workload = workloads[Math.floor(random() * workloads.length)]!
      const instant = random() < atAnswer ? 'answer' : random() * uploadsUntilCut
      const told = await cutOnce({ place, disk, engine }, workload, instant)
      acknowledged += told.acknowledged
      const when = instant === 'answer' ? 'at the answer' : `after ${instant.toFixed(2)} uploads`
      const title = `cut ${cut + 1}, ${workload.name}, ${when}`
      failures.push(...told.problems.map(problem => `${title}: ${problem}`))
      if (isVerbose)
        console.log(`  ${told.problems.length > 0 ? 'FAIL' : 'ok'} ${title}, ${told.acknowledged} acknowledged`)
    }
    await place.stop()
  }
  return { failures, cuts: count, acknowledged, seconds: (performance.now() - before) / 1000 }
}

interface Ground {
  readonly place: Place
  readonly disk: Disk
  readonly engine: Engine
}

/** @param instant uploads of this kind that would have ended by then */
async function cutOnce({ place, disk, engine }: Ground, workload: CommitWorkload, instant: number | 'answer') {
  const before = performance.now()
  await place.warm(workload)
  const uploadMs = performance.now() - before
  const cut = await disk.armed()
  let acknowledged = workload.uploadsOf('').length
  let isCut = false
  const cutNow = async () => {
    await cut()
    isCut = true
  }
  const timer = instant === 'answer' ? undefined : setTimeoutPromise(instant * uploadMs).then(cutNow)
  let sendings = place.newSendings(workload)
  for (;;) {
    const told = await place.send(workload, sendings)
    if (instant === 'answer') await cutNow()
    acknowledged += told.filter(isKept).length
    if (isCut || !told.every(isKept)) break
    sendings = place.newSendings(workload)
  }
  await timer
  await Promise.all([place.kill(), engine.kill()])
  await disk.remount()
  await engine.startAgain()
  await place.start()
  const problems = (await place.judge({ isSwept: true })).map(text => `after the start: ${text}`)
  const end = performance.now() + convergeMs
  for (;;) {
    await enableStore(place.librarian)
    const told = await place.send(workload, sendings)
    if (told.every(isKept)) break
    if (performance.now() > end) {
      problems.push(`again: ${JSON.stringify(told)}`)
      break
    }
    await setTimeoutPromise(100)
  }
  problems.push(...(await place.judge({ isSwept: false })).map(text => `again: ${text}`))
  return { acknowledged, problems }
}

/** A file system of its own in a file. */
class Disk implements AsyncDisposable {
  readonly mountPoint: string
  readonly #image: string
  readonly #endWithUs = () => spawnSync('umount', ['--lazy', this.mountPoint])
  #cutter: ChildProcess | undefined

  private constructor(folder: string) {
    this.mountPoint = join(folder, 'disk')
    this.#image = join(folder, 'image')
  }

  static async make(folder: string, size: string): Promise<Disk> {
    const disk = new Disk(folder)
    mkdirSync(disk.mountPoint, { recursive: true })
    run('truncate', '--size', size, disk.#image)
    run('mkfs.ext4', '-q', '-F', disk.#image)
    disk.#mount()
    // Before the directory around it is removed.
    process.prependOnceListener('exit', disk.#endWithUs)
    return disk
  }

  /** Resolves when the power can be cut without delay; what it gives resolves when it was. */
  async armed(): Promise<() => Promise<void>> {
    const child = spawn('python3', ['-c', cutter, this.mountPoint], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#cutter = child
    await line(child, 'ready')
    return async () => {
      child.stdin.write('\n')
      await line(child, 'cut')
      await ended(child)
      this.#cutter = undefined
    }
  }

  /** What was on the medium when the power was cut. */
  async remount(): Promise<void> {
    await this.#unmount()
    this.#mount()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#cutter) {
      this.#cutter.kill('SIGKILL')
      await ended(this.#cutter)
    }
    await this.#unmount()
    process.off('exit', this.#endWithUs)
    rmSync(this.#image, { force: true })
  }

  /** A process that ends for want of its disk takes a moment. */
  async #unmount(): Promise<void> {
    for (const end = performance.now() + unmountMs; ; await setTimeoutPromise(50)) {
      try {
        run('umount', this.mountPoint)
        return
      } catch (error) {
        if (performance.now() > end) throw error
      }
    }
  }

  #mount(): void {
    run('mount', '-o', 'loop', this.#image, this.mountPoint)
  }
}

function run(file: string, ...args: string[]): void {
  execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function line(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (bytes: Buffer) => {
      if (bytes.toString().includes(text)) resolve()
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`python3 ended before it said ${text}`)))
  })
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => child.once('exit', () => resolve()))
}
