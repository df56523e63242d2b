/** What a dead process held is free as soon as another one starts, on both databases; what may be alive keeps everything. */
import { formatOwner, newOwner, systemClock } from '@arriero/transfer'
import { afterAll, expect, test } from 'vitest'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { openPostgresCatalogue } from '../src/catalogue/postgres/catalogue.ts'
import { silentLog } from '../src/log.ts'
import { createPresence } from '../src/services/presence.ts'
import { freeWhatDied } from '../src/services/recovery/free-what-died.ts'
import { startPostgres } from './postgres.ts'
import { operations, type TrialCatalogue } from './trial-operations.ts'

/** No process has this number. */
const dead = formatOwner({ ...newOwner(), pid: 4_194_305 })
const alive = formatOwner(newOwner())
const elsewhere = formatOwner({ ...newOwner(), host: 'elsewhere' })
const entry = { id: 'scrub:1', kind: 'scrub', name: 'nightly' }
const hex = (letter: string) => letter.repeat(32)
const work = { queue: 'tasks', room: 1, everywhere: 1, seconds: 30 }

suite('memory', async () => (await openMemoryCatalogue({ registry: operations })) as TrialCatalogue)

const server = await startPostgres()
afterAll(() => server?.end())
if (server) {
  suite('PostgreSQL', async () => {
    const url = await server.createDatabase()
    return (await openPostgresCatalogue({ url, registry: operations })) as TrialCatalogue
  })
} else test.skip('NOT RUN postgres', () => {})

function suite(label: string, open: () => Promise<TrialCatalogue>): void {
  /** Each holds a lease, and one of them a piece of work and the run of a task. */
  async function startedBeside(...holders: readonly string[]) {
    const catalogue = await open()
    for (const holder of holders) {
      await catalogue.leases.acquire({ resource: `process:${holder}`, holder, seconds: 30 })
      await catalogue.leases.acquire({ resource: `pull of ${holder}`, holder: `${holder}:1`, seconds: 60 })
      await catalogue.leases.acquire({ resource: `upload:${holder}`, holder, seconds: 60 })
    }
    await catalogue.pieces.want({ pieces: [{ queue: 'tasks', key: 'k', inSeconds: 0, priority: 0 }] })
    expect(await catalogue.pieces.take({ rooms: [work], claim: hex('a') })).toHaveLength(1)
    expect(await catalogue.tasks.begin({ entry, run: hex('a'), atOnce: 1 })).toBeDefined()
    const presence = createPresence({ catalogue, clock: systemClock, log: silentLog })
    await presence.start()
    await freeWhatDied({ catalogue, presence, log: silentLog })
    const held = (await catalogue.leases.list()).map(({ resource }) => resource)
    const taken = await catalogue.pieces.take({ rooms: [work], claim: hex('b') })
    const begun = await catalogue.tasks.begin({ entry, run: hex('b'), atOnce: 1 })
    await presence.close()
    await catalogue.close()
    return { held, taken: taken.length, hasBegun: begun !== undefined, own: presence.holder }
  }

  test(`${label}: whoever is started after a kill goes on at once`, async () => {
    const { held, taken, hasBegun, own } = await startedBeside(dead)
    expect(held.toSorted()).toEqual([`process:${own}`, `upload:${dead}`].toSorted())
    expect([taken, hasBegun]).toEqual([1, true])
  })

  test.each([
    ['alive', alive],
    ['on another machine', elsewhere],
  ])(`${label}: beside a process that is %s, nothing of its is taken, nor what may be its`, async (_, other) => {
    const { held, taken, hasBegun } = await startedBeside(dead, other)
    expect(held).toEqual(expect.arrayContaining([`pull of ${other}`, `process:${other}`]))
    expect(held).not.toContain(`pull of ${dead}`)
    expect([taken, hasBegun]).toEqual([0, false])
  })
}
