import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
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
