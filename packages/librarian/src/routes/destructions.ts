/** What two administrators destroy together (reliability B8). */
import { endpoints } from '@arriero/api'
import type { Destructions, ShownProposal } from '../services/destructions.ts'
import { type Route, route } from './route.ts'

const { destruction } = endpoints

const most = 999

export function destructionRoutes(destructions: Destructions): Route[] {
  return [
    route(destruction.propose, async ({ file_name: fileName, reason }, { caller, act }) =>
      told(await destructions.propose({ fileName, reason }, caller, act)),
    ),
    route(destruction.list, async ({ max_results }) => {
      const all = await destructions.list(Math.max(0, Math.min(max_results, most)))
      return { destructions: all.map(told) }
    }),
    route(destruction.confirm, async ({ destruction_id: id, file_name: fileName }, { caller, act }) => {
      const { destroyed, kept } = await destructions.confirm({ id, fileName }, caller, act)
      return {
        success: kept.length === 0,
        destruction_id: id,
        file_name: fileName,
        destroyed: destroyed.map(({ storeName, instanceId, trashId }) => {
          return { store_name: storeName, instance_id: instanceId, trash_id: trashId }
        }),
        kept: kept.map(({ storeName, instanceId, why }) => {
          return { store_name: storeName, instance_id: instanceId, why }
        }),
      }
    }),
  ]
}

function told({ id, fileName, reason, proposedBy, proposedTime, endTime }: ShownProposal) {
  return {
    destruction_id: id,
    file_name: fileName,
    reason,
    proposed_by: proposedBy,
    proposed_time: proposedTime,
    end_time: endTime,
  }
}
