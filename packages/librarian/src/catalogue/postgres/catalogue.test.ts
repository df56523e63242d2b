import { expect, test } from 'vitest'
import { onPostgres } from '../../../test/both-databases.ts'
import { catalogueSuite } from '../../../test/catalogue-suite.ts'
import { operations, type TrialCatalogue } from '../../../test/trial-operations.ts'
import { openPostgresCatalogue } from './catalogue.ts'

await onPostgres(server => {
  catalogueSuite('openPostgresCatalogue()', async () => {
    const url = await server.createDatabase()
    return (await openPostgresCatalogue({ url, registry: operations })) as TrialCatalogue
  })

  test('openPostgresCatalogue() makes none in an empty database where one must exist', async () => {
    const url = await server.createDatabase()
    for (let times = 0; times < 2; times++)
      await expect(openPostgresCatalogue({ url, mustExist: true })).rejects.toThrow(/there is no catalogue in it/)
    await (await openPostgresCatalogue({ url })).close()
    await (await openPostgresCatalogue({ url, mustExist: true })).close()
  })
})
