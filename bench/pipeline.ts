/** `npm run bench -- pipeline`: what stages, threads and profiles cost, in alternating rounds. */

import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createEngine, pipeline } from '@arriero/transfer'
import { startNginx } from '../e2e/servers/nginx.ts'
import { type Measurement, measure } from '../packages/cli/src/bench/measure.ts'
import { spread } from '../packages/cli/src/bench/stats.ts'
import { makeBigFile } from './inputs.ts'

const usage = `usage: npm run bench -- pipeline [--rounds N] [--items N] [--size MIB] [--dir DIR]`

const program = new URL('../packages/cli/bin/arriero.js', import.meta.url).pathname

export async function benchPipeline(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      items: { type: 'string', default: '100000' },
      size: { type: 'string', default: '2048' },
      dir: { type: 'string', default: new URL('./out', import.meta.url).pathname },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const rounds = Number(values.rounds)
  const directory = await mkdtemp(join(values.dir, 'pipeline-'))
  try {
    await tinyItems(rounds, Number(values.items), directory)
    await threads(rounds)
    await profiles(rounds, Number(values.size) * 2 ** 20, directory)
  } finally {
    await rm(directory, { recursive: true })
  }
  return 0
}

async function tinyItems(rounds: number, count: number, directory: string): Promise<void> {
  const plain: number[] = []
  const kept: number[] = []
  const memory: number[] = []
  await using engine = createEngine()
  const run = async (state?: string) => {
    const startedAt = performance.now()
    const { done } = await pipeline(() => numbers(count))
      .map(n => n)
      .filter(() => true)
      .map(n => n)
      .run({ engine, state, fresh: true })
    return (done / (performance.now() - startedAt)) * 1000
  }
  for (let round = 0; round < rounds; round++) {
    plain.push(await run())
    kept.push(await run(join(directory, 'state')))
    memory.push(process.memoryUsage.rss() / 2 ** 20)
  }
  console.log(`${count} items through three stages that do nothing, items a second`)
  console.log(`  no state     ${shown(plain, 0)}   target 50,000`)
  console.log(`  with a state ${shown(kept, 0)}`)
  console.log(`  resident memory after each round, MiB: ${memory.map(mib => mib.toFixed(0)).join(', ')}`)
}

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n
}

/** The same digests by one thread and by as many as there are cores. */
async function threads(rounds: number): Promise<void> {
  const cores = availableParallelism()
  const bytes = new Uint8Array(new SharedArrayBuffer(64 << 20)).fill(7)
  const seconds: Record<number, number[]> = { 1: [], [cores]: [] }
  for (let round = 0; round < rounds; round++) {
    for (const cpuWorkers of [1, cores]) {
      await using engine = createEngine({ cpuWorkers })
      const digests = (count: number) =>
        pipeline(Array.from({ length: count }, () => ({ bytes })))
          .map<(value: { bytes: Uint8Array }) => string>(new URL('./sha256.ts', import.meta.url), 'sha256')
          .run({ engine })
      // Threads that have started are what is compared.
      await digests(cpuWorkers * 2)
      const startedAt = performance.now()
      await digests(16)
      seconds[cpuWorkers]?.push((performance.now() - startedAt) / 1000)
    }
  }
  const [one, all] = [seconds[1] ?? [], seconds[cores] ?? []]
  console.log('sha256 of 16 items of 64 MiB, s')
  console.log(`  1 thread  ${shown(one, 2)}`)
  console.log(
    `  ${cores} threads ${shown(all, 2)}   ${(spread(one).median / spread(all).median).toFixed(2)} ×, target 1.8`,
  )
}

/** One file from nginx, with and without a profile at 0.1 s. */
async function profiles(rounds: number, size: number, directory: string): Promise<void> {
  await using nginx = await startNginx({ root: directory })
  const big = await makeBigFile(directory, size)
  const runs: Record<'off' | 'on', Measurement[]> = { off: [], on: [] }
  for (let round = 0; round < rounds; round++) {
    for (const which of round % 2 ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
      const extra = which === 'on' ? ['--profile', join(directory, 'profile')] : []
      const argv = [process.execPath, program, 'get', `${nginx.plain}/${big.name}`, join(directory, 'got'), '--quiet']
      const command = { argv: [...argv, '--if-exists', 'overwrite', ...extra], stdout: 'null' as const }
      runs[which].push(await measure(command as never, join(directory, 'time')))
    }
  }
  const problems = [...runs.off, ...runs.on].flatMap(({ problem }) => problem ?? [])
  if (problems.length > 0) throw new Error(problems[0])
  const cpu = (all: readonly Measurement[]) => all.map(({ userSeconds, systemSeconds }) => userSeconds + systemSeconds)
  const wall = (all: readonly Measurement[]) => all.map(({ wallSeconds }) => wallSeconds)
  console.log(`${size / 2 ** 20} MiB from nginx, with a profile every 0.1 s and without`)
  for (const which of ['off', 'on'] as const) {
    console.log(`  ${which.padEnd(3)} CPU s ${shown(cpu(runs[which]), 3)}   wall s ${shown(wall(runs[which]), 3)}`)
  }
}

/** `median (least to most)` */
function shown(values: readonly number[], digits: number): string {
  const { median, min, max } = spread(values)
  const text = (value: number) =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median)} (${text(min)} to ${text(max)})`
}
