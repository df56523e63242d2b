/** Both task engines, and the embedded one on both databases. */
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { openPostgresCatalogue } from '../src/catalogue/postgres/catalogue.ts'
import { systemClock } from '../src/clock.ts'
import { backOffSeconds } from '../src/engine/back-off.ts'
import { EmbeddedEngine } from '../src/engine/embedded.ts'
import type { Poison } from '../src/engine/engine.ts'
import { PgBossEngine } from '../src/engine/pg-boss.ts'
import { silentLog } from '../src/log.ts'
import { onPostgres } from './both-databases.ts'
import { type EngineGround, engineSuite } from './engine-suite.ts'
import { startSource } from './source-process.ts'
import { operations, type TrialCatalogue } from './trial-operations.ts'

engineSuite('embedded in memory', async () =>
  onCatalogue((await openMemoryCatalogue({ registry: operations })) as TrialCatalogue, undefined),
)

await onPostgres(server => {
  engineSuite('embedded on PostgreSQL', async () => {
    const url = await server.createDatabase()
    const catalogue = (await openPostgresCatalogue({ url, registry: operations })) as TrialCatalogue
    return onCatalogue(catalogue, () => startSource('engine-worker', ['embedded', url]))
  })
  engineSuite('pg-boss', async () => onPgBoss(await server.createDatabase()))
})

describe('the pause after failures', () => {
  test('grows from a second or two to an hour, and stays there', () => {
    const least = [1, 2, 5, 10, 20, 1000].map(attempts => backOffSeconds(attempts, () => 0))
    expect(least).toEqual([1, 2, 16, 512, 1800, 1800])
    expect(backOffSeconds(1000, () => 1)).toBe(3600)
  })

  test('a piece that failed ten times is told of, once', async () => {
    await using on = { ...(await memory()), [Symbol.asyncDispose]: async () => {} }
    const poison: Poison[] = []
    const engine = on.open({ onPoison: one => void poison.push(one) })
    let attempts = 0
    await engine.handle('suite', async () => {
      if (++attempts > 12) return undefined
      // Nobody waits for an hour here.
      await engine.want('suite', 'bad')
      throw new Error(`attempt ${attempts}`)
    })
    await engine.want('suite', 'bad')
    const stop = new AbortController()
    const working = engine.work(stop.signal)
    await expect.poll(() => attempts, { timeout: 20_000 }).toBeGreaterThan(12)
    stop.abort()
    await working
    expect(poison).toEqual([{ queue: 'suite', key: 'bad', attempts: 10, reason: 'attempt 10' }])
    await on.end()
  }, 30_000)
})

async function memory(): Promise<EngineGround> {
  return onCatalogue((await openMemoryCatalogue({ registry: operations })) as TrialCatalogue, undefined)
}

function onCatalogue(catalogue: TrialCatalogue, start: EngineGround['start']): EngineGround {
  return {
    open: ({ onPoison } = {}) =>
      new EmbeddedEngine({ catalogue, clock: systemClock, log: silentLog, lookMs: 500, onPoison }),
    start,
    async shiftClock(seconds) {
      for (const column of ['due', 'wanted', 'expires']) {
        const rows = await catalogue.trial.read(`SELECT queue, key, ${column} AS time FROM piece`)
        for (const { queue, key, time } of rows) {
          if (time === null) continue
          const shifted = new Date(Date.parse(String(time)) - seconds * 1000).toISOString().replace('Z', '000Z')
          await catalogue.trial.write(
            `UPDATE piece SET ${column} = '${shifted}' WHERE queue = '${queue}' AND key = '${key}'`,
          )
        }
      }
    },
    count: async () => (await catalogue.trial.read('SELECT key FROM piece')).length,
    end: () => catalogue.close(),
  }
}

async function onPgBoss(url: string): Promise<EngineGround> {
  const client = new pg.Client(url)
  await client.connect()
  return {
    open: ({ onPoison } = {}) => new PgBossEngine({ url, log: silentLog, onPoison }),
    start: () => startSource('engine-worker', ['pg-boss', url]),
    async shiftClock(seconds) {
      const columns = ['start_after', 'created_on', 'started_on', 'heartbeat_on', 'keep_until']
      const set = columns.map(column => `${column} = ${column} - interval '${seconds} seconds'`).join(', ')
      await client.query(`UPDATE arriero_tasks.job SET ${set}`)
    },
    async count() {
      const { rows } = await client.query(`SELECT id FROM arriero_tasks.job WHERE name = 'suite' AND state <= 'active'`)
      return rows.length
    },
    end: () => client.end(),
  }
}
