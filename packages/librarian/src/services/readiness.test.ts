import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createPasswords } from '../auth/passwords.ts'
import { openMemoryCatalogue } from '../catalogue/memory.ts'
import { ensureAdmin } from '../setup/first-admin.ts'
import { createReadiness } from './readiness.ts'

const account = { authToken: 'x', level: 'ADMIN' } as const
const storeThat = (available: boolean) => ({ store: { state: async () => ({ available }) } })
const sites = (...available: boolean[]) => ({ all: available.map(storeThat) }) as never

test('nobody is sent to a librarian that nobody can log in to; one that lost its last administrator goes on', async () => {
  await using catalogue = await openMemoryCatalogue()
  const readiness = createReadiness({ catalogue, stores: sites(true) })
  expect(await readiness()).toEqual(['there is no administrator yet'])
  await catalogue.accounts.create({ username: 'reader', ...account, level: 'READONLY' })
  expect(await readiness()).toEqual(['there is no administrator yet'])
  await ensureAdmin({
    catalogue,
    passwords: createPasswords({ random: randomBytes }),
    random: randomBytes,
    username: 'a',
  })
  expect(await readiness()).toEqual([])
  const away = { ...catalogue, accounts: { ...catalogue.accounts, countAdmins: async () => 0 } }
  expect(await createReadiness({ catalogue: away, stores: sites(true) })()).toHaveLength(1)
  expect(await readiness()).toEqual([])
})

test('one store is enough; none that is there, or a catalogue that does not answer, is told', async () => {
  const catalogue = await openMemoryCatalogue()
  await catalogue.accounts.create({ username: 'a', ...account })
  expect(await createReadiness({ catalogue, stores: sites(false, true) })()).toEqual([])
  expect(await createReadiness({ catalogue, stores: sites(false, false) })()).toEqual(['no store is available'])
  await catalogue.close()
  expect(await createReadiness({ catalogue, stores: sites(false) })()).toEqual([
    'the catalogue does not answer',
    'no store is available',
  ])
})
