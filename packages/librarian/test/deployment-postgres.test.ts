/** What `arriero doctor --deployment` tells of a catalogue in PostgreSQL. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lookAtPostgres } from '../src/catalogue/postgres/look.ts'
import { Secret } from '../src/config.ts'
import { onPostgres } from './both-databases.ts'
import { broken, inspect, make, settingsIn } from './deployment-house.ts'

let folder!: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arriero-deployment-'))
  for (const each of ['files', 'staging']) await mkdir(join(folder, each))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

await onPostgres(server => {
  const look = (url: string, ...more: [object?]) => lookAtPostgres(new Secret(url), ...(more as []))
  const inspectAt = (catalogue: string) => inspect(settingsIn(folder, { catalogue }))

  describe('a catalogue in PostgreSQL', () => {
    test('is well where it is; unreachable, refused or missing where it is not', async () => {
      const url = await server.createDatabase()
      expect(broken(await inspectAt(url)).filter(line => !line.includes('checksums'))).toEqual([])
      const told = async (change: (url: URL) => void) => {
        const changed = new URL(url)
        change(changed)
        return broken(await inspectAt(changed.href))
      }
      expect(await told(wrong => (wrong.password = 'wrong'))).toEqual([
        expect.stringMatching(/^fail database: 127\.0\.0\.1:\d+\/test_\d+ refuses the user arriero: wrong password$/),
      ])
      expect(await told(wrong => (wrong.port = '9'))).toEqual([
        expect.stringMatching(/^fail database: nobody answers as PostgreSQL at 127\.0\.0\.1:9/),
      ])
      expect(await told(wrong => (wrong.pathname = '/none'))).toEqual([expect.stringContaining('has no database none')])
    })

    test('with the schema of an older or a newer release', async () => {
      const url = await server.createDatabase()
      await make(settingsIn(folder, { catalogue: url }))
      const up = async () => {}
      expect(await look(url)).toMatchObject({ state: 'current' })
      const later = [
        { name: '0001-first', up },
        { name: '0002-later', up },
      ]
      expect(await look(url, { migrations: later })).toMatchObject({ state: 'older', migrations: ['0002-later'] })
      expect(await look(url, { migrations: [] })).toMatchObject({ state: 'newer', migrations: ['0001-first'] })
    })
  })
})
