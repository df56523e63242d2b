/** What the dashboard asks for: its pages, sessions, what they show, and what is new. */
import type { Sessions } from '../auth/sessions.ts'
import { createEventStream } from '../http/event-stream.ts'
import { dashboardAuditRoute } from '../routes/dashboard/audit.ts'
import { dashboardFileRoute } from '../routes/dashboard/file.ts'
import { dashboardTransferRoutes } from '../routes/dashboard/transfers.ts'
import { dashboardRoutes } from '../routes/dashboard.ts'
import { eventRoutes } from '../routes/events.ts'
import { pageRoutes } from '../routes/pages.ts'
import { sessionRoutes } from '../routes/session.ts'
import { callPeers } from '../services/call-peers.ts'
import { createAuditChain } from '../services/dashboard/audit-chain.ts'
import { createDescribeFile } from '../services/dashboard/describe-file.ts'
import { createFindFiles } from '../services/dashboard/find-files.ts'
import { createListTransfers } from '../services/dashboard/list-transfers.ts'
import { createNews } from '../services/dashboard/news.ts'
import { createOverview } from '../services/dashboard/overview.ts'
import { createPaced } from '../services/dashboard/paced.ts'
import { createSiteWatch } from '../services/dashboard/site-watch.ts'
import { createSites } from '../services/dashboard/sites.ts'
import { createTrafficHours } from '../services/dashboard/traffic-hours.ts'
import type { PacedLook } from '../services/figures/paced-look.ts'
import type { Retry } from '../services/sending/retry.ts'
import type { Waiting } from '../services/sending/waiting.ts'
import { createDashboardPages } from '../setup/dashboard-pages.ts'
import type { Feature, Ground } from './feature.ts'

export interface DashboardOptions extends Ground {
  readonly sessions: Sessions
  readonly retry: Retry
  readonly waiting: PacedLook<readonly Waiting[]>
}

/** They are read from indexes from end to end. */
const HOLDINGS_EVERY_MS = 60_000
/** Figures that are ten minutes old at most are shown while newer ones are read. */
const HOLDINGS_LATE_MS = 540_000

export function createDashboardFeature(options: DashboardOptions): Feature {
  const { settings, catalogue, stores, clock, log, sessions, retry, waiting } = options
  const watch = createSiteWatch({ catalogue, calls: callPeers({ name: settings.name }), clock, log })
  const holdings = createPaced(() => catalogue.overview.holdings(), {
    clock,
    everyMs: HOLDINGS_EVERY_MS,
    lateMs: HOLDINGS_LATE_MS,
  })
  const hours = createTrafficHours({ catalogue })
  const overview = createOverview({ settings, catalogue, stores, holdings, hours, sites: watch, waiting, clock })
  const findFiles = createFindFiles({ catalogue, clock, log })
  const sites = createSites({ catalogue, holdings, hours, watch, clock })
  const stream = createEventStream({ news: createNews({ overview, catalogue }), clock, log })

  /** What whoever looks first after a start would else wait for. */
  async function readAhead(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all([holdings(), hours(await catalogue.traffic.now())])
    } catch (error) {
      if (!signal.aborted)
        log.warn({ err: error }, 'What has moved could not be read ahead; it is read when somebody looks')
    }
  }

  return {
    routes: [
      ...dashboardRoutes({ siteName: settings.displayedSiteName, overview, findFiles, sites }),
      dashboardFileRoute(createDescribeFile({ catalogue, sites: watch })),
      ...dashboardTransferRoutes({
        listTransfers: createListTransfers({ catalogue }),
        transferPages: catalogue.transferPages,
        stores,
        retry,
      }),
      dashboardAuditRoute({ audit: catalogue.audit, chain: createAuditChain({ catalogue, clock, log }) }),
    ],
    rawRoutes: [...sessionRoutes(sessions), ...pageRoutes(createDashboardPages()), ...eventRoutes(stream)],
    async work(signal) {
      await Promise.all([findFiles.work(signal), readAhead(signal)])
    },
    async close() {
      stream.close()
      watch.close()
    },
  }
}
