/** Whole processes: killed, in a race, on a full disk (reliability 4 K, R, D). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { LocalPlace, stagedWork } from '../../../test/local-place.ts'
import { newId } from '../../../test/store-suite.ts'
import type { Store, Work } from '../store.ts'

const program = new URL('../../../test/programs/commit-files.ts', import.meta.url).pathname
const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning', program]

interface Told {
  readonly id: string
  readonly name: string
  readonly error?: string
}

interface Running {
  readonly child: ChildProcess
  readonly told: Told[]
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  /** Resolves when it has told of so many files, or has ended. */
  hasTold(count: number): Promise<void>
}

function start(command: string, args: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const told: Told[] = []
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  let wanted = Number.POSITIVE_INFINITY
  let enough = () => {}
  const ended = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line === 'ready') resolve()
      else if (told.push(JSON.parse(line)) >= wanted) enough()
    }
  })()
  child.stdin!.on('error', () => {})
  const hasTold = async (count: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    wanted = count
    enough = resolve
    if (told.length < count) await Promise.race([promise, ended])
  }
  return { child, told, ready, ended, hasTold }
}

type Named = Work & { readonly name: string; readonly content: Uint8Array }

async function stageFiles(store: Store, names: readonly string[], size: () => number): Promise<Named[]> {
  const works: Named[] = []
  for (const name of names) {
    const content = new Uint8Array(randomBytes(size()))
    works.push({ ...(await stagedWork(store, content)), name, content })
  }
  return works
}

const asLine = (works: readonly Named[]) => `${JSON.stringify(works.map(({ content: _, ...work }) => work))}\n`

describe('a store in processes', () => {
  test('killed at any instant: what was told is there, the rest converges, nothing is half (A1, A3)', {
    timeout: 300_000,
  }, async () => {
    await using place = await LocalPlace.make()
    const store = await place.open()
    // `npm run test:faults` has more of them.
    const rounds = Number(process.env.ARRIERO_KILL_ROUNDS ?? 6)
    let killedEarly = 0
    for (let round = 0; round < rounds; round++) {
      const names = Array.from({ length: 30 }, (_, index) => `r${round}/d${index % 3}/f${index}`)
      const works = await stageFiles(store, names, () => randomInt(1, 40_000))
      const running = start(process.execPath, [...flags, place.root, place.staging])
      await running.ready
      for (let at = 0; at < works.length; at += 6) running.child.stdin!.write(asLine(works.slice(at, at + 6)))
      running.child.stdin!.end()
      // Somewhere in the work, not while its threads start: after some files, and a moment that hits the next ones.
      const [count, delay] = [randomInt(0, works.length), randomInt(0, 20)]
      await running.hasTold(count)
      await Promise.race([running.ended, new Promise(resolve => setTimeout(resolve, delay))])
      running.child.kill('SIGKILL')
      await running.ended
      if (running.told.length < works.length) killedEarly++
      const after = await place.open()
      for (const { name, content } of works) {
        const isTold = running.told.some(told => told.name === name && told.error === undefined)
        const found = await readFile(join(place.root, name)).catch(() => undefined)
        if (isTold) expect(found, `round ${round}, ${count} files and ${delay} ms, ${name}`).toBeDefined()
        if (found) expect(found.equals(content), `round ${round}, ${count} files and ${delay} ms, ${name}`).toBe(true)
      }
      const prepared = await after.prepare(works)
      const publications = prepared.map((outcome, index) => {
        if (!outcome.ok) throw outcome.error
        const { id, token, name } = works[index]!
        return { id, token, name, ...outcome.value }
      })
      for (const publication of publications.slice(0, 5)) {
        expect(['published', 'prepared']).toContain(await after.inspect(publication))
      }
      for (const outcome of await after.publish(publications)) expect(outcome.ok).toBe(true)
      // A kill leaves private copies at worst, and they are swept by their ids.
      await after.settle([...(await Array.fromAsync(after.works())), ...works.map(({ id }) => id)])
      expect(await Array.fromAsync(after.works())).toEqual([])
      for (const { name, content } of works) expect((await readFile(join(place.root, name))).equals(content)).toBe(true)
    }
    console.log(`${killedEarly} of ${rounds} were killed before their end`)
    expect(killedEarly).toBeGreaterThan(rounds / 3)
  })

  test('20 processes want one name: one gets it, nothing is mixed (A4)', { timeout: 300_000 }, async () => {
    await using place = await LocalPlace.make()
    const store = await place.open()
    const crew = Array.from({ length: 20 }, () => start(process.execPath, [...flags, place.root, place.staging]))
    await Promise.all(crew.map(({ ready }) => ready))
    const [files, trees] = [
      await stageFiles(
        store,
        crew.map(() => 'contested/file'),
        () => 50_000,
      ),
      [] as Named[],
    ]
    for (const _ of crew) {
      const content = new Map(
        Array.from({ length: 5 }, (_, index) => [`m${index}`, new Uint8Array(randomBytes(1000))] as const),
      )
      trees.push({ ...(await stagedWork(store, content)), name: 'contested/tree', content: content.get('m0')! })
    }
    for (const [index, { child }] of crew.entries()) child.stdin!.end(asLine([files[index]!]) + asLine([trees[index]!]))
    await Promise.all(crew.map(({ ended }) => ended))
    for (const [works, path] of [
      [files, 'contested/file'],
      [trees, 'contested/tree/m0'],
    ] as const) {
      const told = crew.flatMap(each => each.told).filter(({ id }) => works.some(work => work.id === id))
      expect(told).toHaveLength(20)
      const winners = told.filter(({ error }) => error === undefined)
      expect(winners).toHaveLength(1)
      for (const { error } of told) expect([undefined, 'FileExists']).toContain(error)
      const won = works.find(({ id }) => id === winners[0]!.id)!
      expect((await readFile(join(place.root, path))).equals(won.content)).toBe(true)
    }
    expect((await readdir(join(place.root, 'contested/tree'))).toSorted()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
    expect(await Array.fromAsync(store.works())).toEqual([])
  })
})

const whyNoMounts = spawnSync('unshare', ['-Urm', 'true']).status === 0 ? undefined : 'unshare -Urm must be allowed'

describe('a full disk (reliability 4 D)', () => {
  const name = 'refuses with NoSpace, publishes nothing, and goes on when there is room'
  if (whyNoMounts) test.skip(`NOT RUN ${name}: ${whyNoMounts}`, () => {})
  else {
    test(name, { timeout: 60_000 }, async () => {
      await using place = await LocalPlace.make()
      // Staged elsewhere, so that only the store is small.
      const store = await place.open()
      const works = await stageFiles(
        store,
        ['small', 'large', 'also/small'],
        (
          sizes => () =>
            sizes.shift()!
        )([100_000, 20 << 20, 100_000]),
      )
      const small = join(place.place, 'small')
      await mkdir(small)
      const script = [
        `mount -t tmpfs -o size=8m tmpfs ${small}`,
        `cp -a ${place.root}/.arriero ${small}/`,
        `exec ${[process.execPath, ...flags, small, place.staging].join(' ')}`,
      ].join(' && ')
      const tail = `; find ${small} -type f ! -path '*/.arriero/*' -printf '{"id":"%s","name":"%P"}\\n'; find ${small}/.arriero/work -type f -printf '{"id":"left","name":"%P"}\\n'`
      const running = start('unshare', ['-Urm', 'sh', '-c', `(${script.replace('exec ', '')})${tail}`])
      await running.ready
      running.child.stdin!.end(
        asLine(works) + asLine([works[1]!]) + asLine([{ ...works[2]!, id: newId(), name: 'later' }]),
      )
      await running.ended
      const by = (wanted: string) => running.told.filter(told => told.name === wanted)
      expect(by('large').map(({ error }) => error)).toEqual(['NoSpace', 'NoSpace'])
      expect(by('small')[0]).toMatchObject({ name: 'small' })
      expect(by('small')[0]!.error).toBeUndefined()
      expect(by('later')[0]!.error).toBeUndefined()
      // What is there in the end, with its size: nothing of the large one, nothing private.
      expect(
        running.told
          .slice(-3)
          .map(told => `${told.name} ${told.id}`)
          .toSorted(),
      ).toEqual(['also/small 100000', 'later 100000', 'small 100000'])
    })
  }
})

test('the digest of a content is what coreutils say of the published file', async () => {
  await using place = await LocalPlace.make()
  const store = await place.open()
  const [work] = await stageFiles(store, ['f'], () => 12_345_678)
  const [outcome] = await store.prepare([work!])
  if (!outcome!.ok) throw outcome!.error
  expect(outcome!.value.sha256).toBe(createHash('sha256').update(work!.content).digest('hex'))
})
