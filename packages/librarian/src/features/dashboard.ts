/** What the dashboard asks for: its pages, sessions, and what they show. */
import type { Sessions } from '../auth/sessions.ts'
import { pageRoutes } from '../routes/pages.ts'
import { sessionRoutes } from '../routes/session.ts'
import { createDashboardPages } from '../setup/dashboard-pages.ts'
import type { Feature } from './feature.ts'

export interface DashboardOptions {
  readonly sessions: Sessions
}

export function createDashboardFeature({ sessions }: DashboardOptions): Feature {
  return {
    rawRoutes: [...sessionRoutes(sessions), ...pageRoutes(createDashboardPages())],
  }
}
