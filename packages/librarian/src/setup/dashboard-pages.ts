/** Where the dashboard's pages are, if they were built: their package says so itself. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { type BuiltPages, readBuiltPages } from '../http/built-pages.ts'

const { resolve } = createRequire(import.meta.url)

/** Looks again until they are there: they may be built while the server runs. */
export function createDashboardPages(
  find: () => string | undefined = findPages,
): () => Promise<BuiltPages | undefined> {
  let pages: Promise<BuiltPages> | undefined
  return async () => {
    const directory = pages ? undefined : find()
    if (directory !== undefined) pages = readBuiltPages(directory)
    try {
      return await pages
    } catch {
      pages = undefined
      return undefined
    }
  }
}

function findPages(): string | undefined {
  try {
    return dirname(resolve('@arriero/dashboard/index.html'))
  } catch {
    return undefined
  }
}
