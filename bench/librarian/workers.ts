/**
 * Jobs that wait 200 ms each, done by one worker process and by four on one PostgreSQL, each worker one at a time. What is
 * measured is the task engine: how soon a process that is free has the next job, and whether four get in each other's way. The
 * jobs do nothing else, since an ingest job of a file computes and syncs as well, and four of them at once want more cores than
 * a small machine has.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { PgBossEngine } from '../../packages/librarian/src/engine/pg-boss.ts'
import { silentLog } from '../../packages/librarian/src/log.ts'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'

const JOBS = 100
const WAIT_MS = 200
const program = new URL('./waiting-worker.ts', import.meta.url).pathname

export async function benchWorkers({ rounds }: CaseOptions): Promise<Figure[]> {
  const postgres = await startPostgres()
  if (!postgres) return []
  try {
    const url = await postgres.createDatabase()
    await using engine = new PgBossEngine({ url, log: silentLog })
    const took: Record<number, number[]> = { 1: [], 4: [] }
    for (let round = 0; round < rounds; round++) {
      for (const count of [1, 4]) {
        await using crew = await Crew.start({ engine, url, queue: `bench/${round}/${count}`, count })
        const keys = Array.from({ length: JOBS }, (_, n) => `job-${n}`)
        took[count]!.push(await seconds(() => crew.run(keys)))
      }
    }
    const rate = (count: number) => took[count]!.map(each => JOBS / each)
    const times = rate(4).map((four, round) => four / rate(1)[round]!)
    const overhead = took[1]!.map(each => (each * 1000) / JOBS - WAIT_MS)
    return [
      { what: '1 worker, jobs that wait 200 ms', unit: 'jobs/s', values: rate(1), isBaseline: true },
      { what: '4 workers', unit: 'jobs/s', values: rate(4) },
      { what: '4 workers instead of 1', unit: 'times', values: times, target: '≥ 3.5 times' },
      { what: 'between two jobs of one worker', unit: 'ms', values: overhead },
    ]
  } finally {
    await postgres.end()
  }
}

interface CrewOptions {
  readonly engine: PgBossEngine
  readonly url: string
  readonly queue: string
  readonly count: number
}

/** Worker processes that have all done something already. */
class Crew {
  readonly #options: CrewOptions
  readonly #workers: ChildProcess[]
  readonly #open = new Set<string>()
  readonly #awake = new Set<ChildProcess>()
  #wake = () => {}

  private constructor(options: CrewOptions) {
    const { url, queue, count } = options
    this.#options = options
    this.#workers = Array.from({ length: count }, () => fork(program, [url, queue, String(WAIT_MS)]))
    for (const worker of this.#workers) worker.on('message', key => this.#note(worker, String(key)))
  }

  static async start(options: CrewOptions): Promise<Crew> {
    const crew = new Crew(options)
    for (let n = 0; crew.#awake.size < options.count; n++) {
      await options.engine.want(options.queue, `warm-${n}`)
      await sleep(WAIT_MS / options.count)
      const ended = crew.#workers.find(({ exitCode }) => exitCode !== null)
      if (ended) throw new Error('a worker ended')
    }
    await crew.run(['warm'])
    return crew
  }

  /** Resolves when each was done, and whatever was wanted before. */
  async run(keys: readonly string[]): Promise<void> {
    const { engine, queue } = this.#options
    for (const key of keys) this.#open.add(key)
    const done = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    for (const key of keys) await engine.want(queue, key)
    await done
  }

  #note(worker: ChildProcess, key: string): void {
    this.#awake.add(worker)
    this.#open.delete(key)
    if (this.#open.size === 0) this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ends = this.#workers.filter(({ exitCode }) => exitCode === null).map(worker => once(worker, 'exit'))
    for (const worker of this.#workers) if (worker.connected) worker.send('end')
    await Promise.all(ends)
  }
}
