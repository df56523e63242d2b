/**
 * The scrub of a librarian beside `sha256sum` of the same tree, in alternating rounds: with what was read before in the page
 * cache, and with that dropped before each. A scrub reads past the page cache where the disk lets it, since what it shall prove
 * is what the disk has; `sha256sum` has the cache.
 */
import { access, constants, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { run } from './command.ts'
import { fill, type Shape } from './fill.ts'
import { runTask } from './run-task.ts'
import { type Served, serve } from './serve.ts'

const shapes = [
  { count: 20_000, bytes: 10 * 1024, label: '20,000 × 10 KiB' },
  { count: 2000, bytes: 2 ** 20, label: '2,000 × 1 MiB' },
  { count: 1, bytes: 2 ** 31, label: '1 × 2 GiB' },
] as const satisfies Shape[]

/** What was read longer ago than half of it is due: everything, soon after each round. */
const PERIOD_SECONDS = 1

export async function benchScrub(options: CaseOptions): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const shape of shapes) figures.push(...(await benchShape(shape, options)))
  return figures
}

interface Took {
  readonly seconds: number
  readonly cpu: number
}

async function benchShape(shape: Shape, { directory, rounds }: CaseOptions): Promise<Figure[]> {
  const home = join(directory, `scrub-${shape.bytes}`)
  await mkdir(home)
  const scrub = { task_name: 'scrub', every: '24:00:00', store_name: 'files', period: PERIOD_SECONDS }
  await using served = await serve(home, { background: { scrub: [scrub] } })
  await fill(served, shape)
  await run(['sync'])
  const figures: Figure[] = []
  for (const cache of ['warm', ...((await canDrop()) ? ['cold'] : [])] as const) {
    const [ours, theirs]: [Took[], Took[]] = [[], []]
    // What was just written is in the cache; that it all is, one reading makes sure of.
    await sha256sum(join(home, 'files'))
    for (let round = 0; round < rounds; round++) {
      if (cache === 'cold') await dropCaches()
      theirs.push(await sha256sum(join(home, 'files')))
      if (cache === 'cold') await dropCaches()
      ours.push(await scrubbed(served, shape))
    }
    figures.push(...figuresOf(shape, cache, ours, theirs))
  }
  await rm(home, { recursive: true, force: true })
  return figures
}

function figuresOf({ count, bytes, label }: Shape, cache: string, ours: readonly Took[], theirs: readonly Took[]) {
  const what = `${label}, ${cache}`
  const rate = (took: readonly Took[]) => took.map(({ seconds }) => (count * bytes) / 1e6 / seconds)
  return [
    { what: `${what}: scrub`, unit: 'MB/s', values: rate(ours) },
    { what: `${what}: sha256sum`, unit: 'MB/s', values: rate(theirs), isBaseline: true },
    {
      what: `${what}: beside sha256sum`,
      unit: '×',
      values: ours.map((took, at) => theirs[at]!.seconds / took.seconds),
      target: '≥ 0.8',
    },
    { what: `${what}: CPU of the librarian`, unit: 's', values: ours.map(({ cpu }) => cpu) },
    { what: `${what}: CPU of sha256sum`, unit: 's', values: theirs.map(({ cpu }) => cpu), isBaseline: true },
  ]
}

async function scrubbed(served: Served, { count }: Shape): Promise<Took> {
  await sleep(PERIOD_SECONDS * 1000)
  const before = await served.cpuSeconds()
  const { seconds, counts } = await runTask(served, 'scrub')
  if (counts.read !== count) throw new Error(`the scrub has read ${counts.read} of ${count} copies`)
  return { seconds, cpu: (await served.cpuSeconds()) - before }
}

async function sha256sum(tree: string): Promise<Took> {
  const before = await cpuOfChildren()
  const all = `find . -name .arriero -prune -o -type f -print0 | xargs -0 sha256sum > /dev/null`
  const took = await seconds(() => run(['sh', '-c', `cd "$1" && ${all}`, 'sh', tree]))
  return { seconds: took, cpu: (await cpuOfChildren()) - before }
}

/** Of those that have ended, s. */
async function cpuOfChildren(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}

const switchOfCaches = '/proc/sys/vm/drop_caches'

async function canDrop(): Promise<boolean> {
  return await access(switchOfCaches, constants.W_OK).then(
    () => true,
    () => false,
  )
}

async function dropCaches(): Promise<void> {
  await run(['sync'])
  await writeFile(switchOfCaches, '3')
}
