/** The audit log as administrators read it. */
import { endpoints } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { AuditChain } from '../../services/dashboard/audit-chain.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { type Route, route } from '../route.ts'
import { auditAnswer, numberCursor } from './answers.ts'

export interface DashboardAuditOptions {
  readonly audit: Pick<Catalogue['audit'], 'list'>
  readonly chain: Pick<AuditChain, 'state'>
}

export function dashboardAuditRoute({ audit, chain }: DashboardAuditOptions): Route {
  return route(endpoints.dashboard.audit, async ({ actor, action, subject, limit, after }) => {
    const before = readCursor(after, numberCursor)
    const rows = await audit.list({ actor, action, subject, before, limit: limit + 1 })
    const page = rows.slice(0, limit)
    const hasMore = rows.length > limit
    const state = chain.state()
    return {
      entries: page.map(auditAnswer),
      more: hasMore,
      next: writeCursor(hasMore ? page.at(-1)?.id : undefined),
      chain: state
        ? {
            time: state.time,
            is_whole: state.broken === undefined,
            entries: state.entries,
            broken: state.broken ?? null,
          }
        : null,
    }
  })
}
