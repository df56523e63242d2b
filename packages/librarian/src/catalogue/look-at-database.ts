import type { CatalogueSettings } from '../config.ts'
import type { DatabaseLook } from './look.ts'

/** Whichever the settings name. Rejects never: what cannot be looked at is told. */
export async function lookAtDatabase(settings: CatalogueSettings): Promise<DatabaseLook> {
  try {
    if (settings.engine === 'postgres') {
      const { lookAtPostgres } = await import('./postgres/look.ts')
      return await lookAtPostgres(settings.url)
    }
    const { lookAtSqlite } = await import('./sqlite/look.ts')
    return lookAtSqlite(settings.path)
  } catch (error) {
    const remedy = 'Check `catalogue` in the settings, and that the server’s user may read and write what it names.'
    return { state: 'unusable', why: `it cannot be looked at: ${(error as Error).message}`, remedy }
  }
}
