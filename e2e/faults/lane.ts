/** One of several places where runs go on at the same time: a directory, a server, and a state to begin with. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Call, isDone, parseCalls } from './calls.ts'
import { type Found, inspect } from './inspect.ts'
import { type CountingServer, startServer } from './server.ts'
import { type Ended, type Fault, runFaulted, runPlainly, runTraced, type Target } from './strace.ts'
import type { Workload } from './workloads.ts'

/** A durable call of a clean run, without what differs between lanes. */
export interface Point {
  readonly call: string
  /** As the program wrote it, with HOME for the lane's directory. */
  readonly path: string
  readonly ordinal: number
}

export class Lane implements AsyncDisposable {
  readonly home: string
  readonly #workload: Workload
  readonly #server: CountingServer
  readonly #start: string
  #args: string[] = []

  private constructor(home: string, workload: Workload, server: CountingServer) {
    this.home = home
    this.#workload = workload
    this.#server = server
    this.#start = `${home}.start`
  }

  /** @param like begin with that lane's state: then the same calls follow */
  static async open(home: string, workload: Workload, like?: Lane): Promise<Lane> {
    const served = new Map([...workload.files].map(([path, bytes]) => [`/${path}`, bytes]))
    const lane = new Lane(home, workload, await startServer(served, workload.paceMs))
    const { startsAfter } = workload
    if (startsAfter && like) cpSync(like.#start, lane.#start, { recursive: true, preserveTimestamps: true })
    else if (startsAfter) {
      lane.reset()
      const path = join(lane.target, startsAfter.name)
      const { isReached } = await lane.runFaulted({ ...startsAfter, path }, 'SIGKILL')
      if (!isReached) throw new Error(`Cannot prepare ${workload.name}: ${path} was never written`)
      cpSync(lane.target, lane.#start, { recursive: true, preserveTimestamps: true })
    }
    return lane
  }

  get target(): string {
    return join(this.home, this.#workload.target)
  }

  /** Everything that lies there, the target itself included. */
  get left(): string[] {
    if (!existsSync(this.target)) return []
    const names = readdirSync(this.target, { recursive: true, encoding: 'utf8' })
    return [this.target, ...names.map(name => join(this.target, name))]
  }

  get stdout(): string {
    return join(this.home, 'stdout')
  }

  /** Content bytes that the server was asked for since the last run began, by name. */
  get asked(): ReadonlyMap<string, number> {
    return new Map([...this.#server.asked].map(([path, bytes]) => [path.slice(1), bytes]))
  }

  /** The state in which every run begins. */
  reset(): void {
    rmSync(this.home, { recursive: true, force: true })
    mkdirSync(this.home, { recursive: true })
    if (existsSync(this.#start)) cpSync(this.#start, this.target, { recursive: true, preserveTimestamps: true })
    this.#args = this.#workload.prepare(this.home, this.#server.url)
  }

  /** What lies there now. */
  inspect(): Found {
    return inspect(this.target, this.#workload.files)
  }

  async run(): Promise<Ended> {
    await this.#server.reset()
    return runPlainly(this.#args, this.#options)
  }

  async runFaulted(target: Target, fault: Fault): Promise<Ended & { readonly isReached: boolean }> {
    await this.#server.reset()
    return runFaulted(this.#args, target, fault, this.#options)
  }

  async runTraced(): Promise<{ readonly ended: Ended; readonly calls: readonly Call[] }> {
    await this.#server.reset()
    const ended = await runTraced(this.#args, this.#options)
    return { ended, calls: parseCalls(readFileSync(this.#options.files.log, 'utf8')) }
  }

  /** The durable calls on the target and on where the result is printed, of a run that `runTraced` recorded. */
  pointsOf(calls: readonly Call[]): Point[] {
    const counts = new Map<string, number>()
    const points: Point[] = []
    for (const { thread, name, paths, ...call } of calls) {
      // Of a rename strace compares the first, of a link both.
      const path = name.startsWith('rename') ? paths[0] : paths.at(-1)
      if (path === undefined || !this.#concerns(path)) continue
      // Reports have the time in their names: no later run could be told to fail at the same one.
      if (path.includes('/.transfer/report-')) continue
      const key = `${thread} ${name} ${path}`
      const ordinal = (counts.get(key) ?? 0) + 1
      counts.set(key, ordinal)
      // A call that failed changed nothing.
      if (isDone({ thread, name, paths, ...call })) points.push({ call: name, path: this.#toShown(path), ordinal })
    }
    return [...new Map(points.map(point => [showPoint(point), point])).values()]
  }

  targetOf({ call, path, ordinal }: Point): Target {
    return { call, path: path.replace('HOME', this.home), ordinal }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]()
  }

  #concerns(path: string): boolean {
    const absolute = resolve(this.home, path)
    return absolute === this.stdout || absolute === this.target || absolute.startsWith(`${this.target}/`)
  }

  #toShown(path: string): string {
    return path.startsWith(this.home) ? `HOME${path.slice(this.home.length)}` : path
  }

  get #options() {
    const { home } = this
    const files = { stdout: this.stdout, stderr: join(home, 'stderr'), log: join(home, 'strace') }
    return { directory: home, files }
  }
}

export function showPoint({ call, path, ordinal }: Point): string {
  return `${call}#${ordinal} ${path.replace('HOME/', '')}`
}
