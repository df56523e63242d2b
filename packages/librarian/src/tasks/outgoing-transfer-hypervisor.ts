import type { SuperviseOutgoing } from '../services/sending/supervise-outgoing.ts'
import { type TaskKind, task } from './task.ts'

/** Asks receivers after transfers that have been open for too long (librarian 12.7). */
export const outgoingTransferHypervisorTask = (supervise: SuperviseOutgoing): TaskKind =>
  task({ key: 'outgoing_transfer_hypervisor', run: (settings, context) => supervise(settings, context) })
