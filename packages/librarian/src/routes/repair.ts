/** Replacing damaged copies by good ones (reliability B5). */
import { endpoints } from '@arriero/api'
import type { RepairService } from '../services/repair/repair.ts'
import { type Route, route } from './route.ts'

export function repairRoutes(service: Pick<RepairService, 'repairFile'>): Route[] {
  return [
    route(endpoints.repair.file, async ({ file_name, dry_run: isDry }, { caller, signal, act }) => {
      const copies = await service.repairFile(file_name, { actor: caller.name, isDry, signal })
      // Each that was begun has an entry of its own, in the transaction that ended it.
      if (copies.some(({ quarantineId }) => quarantineId !== undefined)) act?.handOn()
      return {
        copies: copies.map(({ instanceId, storeName, state, outcome, source, quarantineId, reason }) => ({
          instance_id: instanceId,
          store_name: storeName,
          state,
          outcome,
          source: source ?? null,
          quarantine_id: quarantineId ?? null,
          reason: reason ?? null,
        })),
      }
    }),
  ]
}
