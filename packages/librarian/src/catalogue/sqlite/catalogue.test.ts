import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueSuite } from '../../../test/catalogue-suite.ts'
import { type TrialCatalogue, trialOperations } from '../../../test/trial-operations.ts'
import { openSqliteCatalogue } from './catalogue.ts'

let directory: string
let last = 0
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-catalogue-'))
})
afterAll(() => rm(directory, { recursive: true }))

catalogueSuite('openSqliteCatalogue()', async () => {
  const path = join(directory, `${++last}.sqlite`)
  return (await openSqliteCatalogue({ path, operations: trialOperations })) as TrialCatalogue
})

test('openSqliteCatalogue() without readers reads in the thread that writes: what was written, in turn', async () => {
  const path = join(directory, `${++last}.sqlite`)
  await using catalogue = (await openSqliteCatalogue({
    path,
    operations: trialOperations,
    readers: 0,
  })) as TrialCatalogue
  const writes = Array.from({ length: 20 }, (_, n) =>
    catalogue.trial.write(`INSERT INTO setting (key, value) VALUES ('trial-${n}', 'a')`),
  )
  const count = catalogue.trial.read(`SELECT count(*) AS n FROM setting WHERE key LIKE 'trial-%'`)
  await Promise.all(writes)
  expect(await count).toEqual([{ n: 20 }])
  expect(await catalogue.check()).toEqual([])
})
