/** One of several places where a librarian is disturbed at the same time: its disk, its catalogue, and what it has told. */
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Acknowledged, checkInvariants } from '../../../packages/librarian/test/check-invariants.ts'
import { checksumOf, isKept, type Sending, type Told, type Upload } from './client.ts'
import type { Engine, LaneCatalogue } from './engines.ts'
import { type Librarian, startLibrarian } from './librarian.ts'
import { look, lookAtSurvival } from './look.ts'
import type { CommitWorkload } from './workloads.ts'

/** Recovery goes on by itself, and sweeping in the background: what is broken after so long, is broken. */
const settleMs = 60_000

export class Place implements AsyncDisposable {
  readonly home: string
  readonly data: string
  /** Starts so far. */
  starts = 0
  readonly #catalogue: LaneCatalogue
  readonly #acknowledged: Acknowledged[] = []
  #librarian: Librarian | undefined

  constructor(home: string, data: string, catalogue: LaneCatalogue) {
    this.home = home
    this.data = data
    this.#catalogue = catalogue
  }

  /** With an administrator and nothing else, and saved as that. */
  static async open(home: string, engine: Engine): Promise<Place> {
    const data = join(home, 'data')
    const place = new Place(home, data, await engine.open(data))
    await place.start()
    await place.stop()
    cpSync(home, place.#saved, { recursive: true, preserveTimestamps: true })
    await place.#catalogue.save()
    return place
  }

  get librarian(): Librarian {
    if (this.#librarian) return this.#librarian
    throw new Error('no librarian runs here')
  }

  /** What it has written to its log since it was started last. */
  get log(): string {
    return readFileSync(join(this.home, 'stderr'), 'utf8')
  }

  get isRunning(): boolean {
    return this.#librarian?.isRunning() === true
  }

  async start(): Promise<void> {
    this.starts++
    this.#librarian = await startLibrarian({ home: this.home, data: this.data, catalogue: this.#catalogue.url })
  }

  async stop(): Promise<void> {
    await this.#librarian?.stop()
    this.#librarian = undefined
  }

  async kill(): Promise<void> {
    if (this.#librarian?.isRunning()) process.kill(this.#librarian.pid, 'SIGKILL')
    await this.#librarian?.ended
    this.#librarian = undefined
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Back to what was saved, and started. Looking at everything stays quick that way. */
  async reset(): Promise<void> {
    await this.stop()
    rmSync(this.home, { recursive: true, force: true })
    cpSync(this.#saved, this.home, { recursive: true, preserveTimestamps: true })
    await this.#catalogue.restore()
    this.#acknowledged.length = 0
    await this.start()
  }

  /** Uploads that were never there before. */
  newSendings(workload: CommitWorkload, prefix = randomBytes(4).toString('hex')): Sending[] {
    return workload.uploadsOf(prefix).map(upload => ({ upload }))
  }

  /** What was acknowledged may be relied on from now on. */
  async send(workload: CommitWorkload, sendings: readonly Sending[]): Promise<readonly Told[]> {
    const told = await workload.send(this.librarian, sendings)
    for (const [index, { upload }] of sendings.entries()) if (isKept(told[index]!)) this.#remember(upload)
    return told
  }

  /** Threads and their caches are there afterwards. */
  async warm(workload: CommitWorkload): Promise<void> {
    await this.sendAll(workload, this.newSendings(workload))
  }

  /** @throws Error where anything fails */
  async sendAll(workload: CommitWorkload, sendings: readonly Sending[]): Promise<void> {
    const told = await this.send(workload, sendings)
    const failed = told.filter(one => !isKept(one))
    if (failed.length > 0) throw new Error(`${workload.name} fails without any fault: ${JSON.stringify(failed)}`)
  }

  /** Every promise that is still broken after a while. */
  async judge(options: { readonly isSwept: boolean }): Promise<string[]> {
    const end = performance.now() + settleMs
    for (;;) {
      const seen = await look(this.data, this.#catalogue)
      const broken = checkInvariants(seen, this.#acknowledged, options)
      if (broken.length === 0) return options.isSwept ? lookAtSurvival(this.data, seen) : []
      if (performance.now() > end) return broken
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    for (const path of [this.home, this.#saved]) if (existsSync(path)) rmSync(path, { recursive: true, force: true })
  }

  get #saved(): string {
    return `${this.home}.saved`
  }

  #remember({ name, content }: Upload): void {
    if (this.#acknowledged.some(other => other.name === name)) return
    this.#acknowledged.push({ name, content, checksum: checksumOf(content) })
  }
}
