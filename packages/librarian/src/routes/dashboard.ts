/** What the dashboard's pages show. */
import { endpoints } from '@arriero/api'
import type { FindFiles } from '../services/dashboard/find-files.ts'
import type { Overview } from '../services/dashboard/overview.ts'
import type { Site } from '../services/dashboard/sites.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { foundFileAnswer, nameCursor, siteAnswer } from './dashboard/answers.ts'
import { type Route, route } from './route.ts'

const { dashboard } = endpoints

export interface DashboardRoutesOptions {
  readonly siteName: string
  readonly overview: () => Promise<Overview>
  readonly findFiles: Pick<FindFiles, 'find'>
  readonly sites: () => Promise<readonly Site[]>
}

export function dashboardRoutes({ siteName, overview, findFiles, sites }: DashboardRoutesOptions): Route[] {
  return [
    route(dashboard.overview, () => overview()),

    route(dashboard.files, async ({ query, limit, after }) => {
      const { files, next } = await findFiles.find({ query, limit, after: readCursor(after, nameCursor) })
      const isAll = next === undefined && after === undefined
      return {
        files: files.map(foundFileAnswer),
        total: isAll ? files.length : null,
        more: next !== undefined,
        next: writeCursor(next),
      }
    }),

    route(dashboard.sites, async () => ({ site_name: siteName, sites: (await sites()).map(siteAnswer) })),
  ]
}
