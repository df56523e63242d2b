import { afterAll, test } from 'vitest'
import { catalogueSuite } from '../../../test/catalogue-suite.ts'
import { startPostgres } from '../../../test/postgres.ts'
import { operations, type TrialCatalogue } from '../../../test/trial-operations.ts'
import { openPostgresCatalogue } from './catalogue.ts'

const server = await startPostgres()
afterAll(() => server?.end(), 60_000)

if (server) {
  catalogueSuite('openPostgresCatalogue()', async () => {
    const url = await server.createDatabase()
    return (await openPostgresCatalogue({ url, registry: operations })) as TrialCatalogue
  })
} else test.skip('NOT RUN postgres', () => {})
