import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'

/** What is rebuilt must not be mixed with what is known. @throws LibrarianError `Conflict` */
export async function refuseFilled(catalogue: Pick<Catalogue, 'rebuilding'>): Promise<void> {
  if (await catalogue.rebuilding.isEmpty()) return
  throw new LibrarianError('Conflict', 'Cannot rebuild: the catalogue must be empty, it has files', {
    remedy: 'Start with a new database; or compare this one with the stores by `arriero doctor --catalogue`.',
  })
}
