/** The manual, for whoever comes with a browser. */
import { fileURLToPath } from 'node:url'
import { manualRoutes } from '../routes/manual.ts'
import type { Feature } from './feature.ts'

/** Where `npm run docs:build` puts it: in the repository, also seen from the built package. */
const built = fileURLToPath(new URL('../../../../docs/dist/', import.meta.url))

export function createManualFeature(directory = built): Feature {
  return { rawRoutes: manualRoutes(directory) }
}
