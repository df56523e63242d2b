import { catalogueSuite } from '../../test/catalogue-suite.ts'
import { operations, type TrialCatalogue } from '../../test/trial-operations.ts'
import { openMemoryCatalogue } from './memory.ts'

catalogueSuite(
  'openMemoryCatalogue()',
  async () => (await openMemoryCatalogue({ registry: operations })) as TrialCatalogue,
)
