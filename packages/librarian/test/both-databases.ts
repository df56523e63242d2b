/** Suites that hold on SQLite and on PostgreSQL alike. */
import { afterAll, test } from 'vitest'
import { openMemoryCatalogue } from '../src/catalogue/memory.ts'
import { openPostgresCatalogue } from '../src/catalogue/postgres/catalogue.ts'
import { startPostgres, type TestPostgres } from './postgres.ts'
import { operations, type TrialCatalogue } from './trial-operations.ts'

/** Runs a suite on each database; whoever opens a catalogue closes it. */
export async function suiteOfBoth(suite: (label: string, open: () => Promise<TrialCatalogue>) => void): Promise<void> {
  suite('memory', async () => (await openMemoryCatalogue({ registry: operations })) as TrialCatalogue)
  await onPostgres(server => {
    suite('PostgreSQL', async () => {
      const url = await server.createDatabase()
      return (await openPostgresCatalogue({ url, registry: operations })) as TrialCatalogue
    })
  })
}

/** Makes claims about a PostgreSQL of the test file's own. Where none can run, the claims are told as not run. */
export async function onPostgres(claims: (server: TestPostgres) => void): Promise<void> {
  const server = await startPostgres()
  afterAll(() => server?.end(), 60_000)
  if (server) claims(server)
  else test.skip('NOT RUN postgres', () => {})
}
