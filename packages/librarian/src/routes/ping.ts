/** Who is there (librarian 10.1). */
import { endpoints, FLOWS, IDEMPOTENCY } from '@arriero/api'
import type { Settings } from '../config.ts'
import { version } from '../version.ts'
import { type Route, route } from './route.ts'

export function pingRoutes(settings: Pick<Settings, 'displayedSiteName' | 'displayedSiteDescription'>): Route[] {
  const answer = {
    name: settings.displayedSiteName,
    description: settings.displayedSiteDescription,
    version,
    capabilities: [IDEMPOTENCY, FLOWS],
  }
  return Object.values(endpoints.ping).map(endpoint => route(endpoint, async () => answer))
}
