/**
 * Globus moves the bytes between its endpoints, and verifies them (librarian 9.3); we submit a batch and ask after it.
 *
 *     no task          nothing was begun, or its beginning failed
 *     SUCCEEDED        complete
 *     FAILED           failed, with what the service says
 *     anything else    running, unless a fault is one that it does not recover from
 */
import { systemClock } from '../clock.ts'
import { TransferError } from '../errors.ts'
import type { Method, MethodStanding, MethodState, TransferDetails } from '../method.ts'
import { printable, redactText } from '../redact.ts'
import { checkItems, refuseIf } from './batch.ts'
import type { GlobusDocument } from './globus/exchange.ts'
import { fatalFaultIn } from './globus/faults.ts'
import type { GlobusMethodOptions } from './globus/options.ts'
import { GlobusService } from './globus/service.ts'
import { submissionOf } from './globus/submission.ts'

export type { GlobusMethodOptions, GlobusServices } from './globus/options.ts'

/** Has Globus move the files between two of its endpoints. */
export function createGlobusMethod(options: GlobusMethodOptions): Method {
  const service = new GlobusService({ ...options, clock: options.clock ?? systemClock })
  return {
    name: 'globus',
    whyNot: state => whyNot(state, options),
    async transfer(items, { state, label, signal }) {
      refuseIf(whyNot(state, options), 'globus')
      checkItems(items, 'globus')
      const document = submissionOf(items, {
        sourceEndpoint: options.localEndpointId,
        destinationEndpoint: String(state.destination_endpoint),
        localRoot: options.localRoot,
        encrypt: options.encryptTransfers ?? true,
        label,
      })
      const task_id = await service.submit(document, signal)
      return { ...state, transfer_attempted: true, transfer_complete: false, task_id }
    },
    async status(state, { signal } = {}) {
      const id = taskOf(state)
      if (id === undefined) {
        if (state.transfer_attempted !== true) return { status: 'running' }
        return { status: 'failed', reason: 'it was submitted, and Globus gave it no task' }
      }
      return standing(service, id, signal)
    },
    async cancel(state, { signal } = {}) {
      const id = taskOf(state)
      if (id === undefined) return
      await service.cancel(id, signal).catch(error => {
        // One that is forgotten has ended.
        if (!isUnknownTask(error)) throw error
      })
    },
    async details(state, { signal } = {}) {
      const id = taskOf(state)
      return id === undefined ? undefined : detailsIn(id, await service.task(id, signal))
    },
  }
}

function whyNot({ destination_endpoint }: MethodState, { localEndpointId, clientId }: GlobusMethodOptions) {
  if (localEndpointId === '') return 'no settings say from which endpoint this site sends (globus_local_endpoint_id)'
  if (clientId === '') return 'no settings say who we are for Globus (globus_client_id)'
  if (typeof destination_endpoint === 'string' && destination_endpoint !== '') return undefined
  return 'it must say to which endpoint it goes (destination_endpoint)'
}

function taskOf({ task_id }: MethodState): string | undefined {
  return typeof task_id === 'string' && task_id !== '' ? task_id : undefined
}

async function standing(service: GlobusService, id: string, signal: AbortSignal | undefined): Promise<MethodStanding> {
  try {
    const task = await service.task(id, signal)
    if (task.status === 'SUCCEEDED') return { status: 'complete' }
    if (task.status === 'FAILED') return { status: 'failed', reason: whyFailed(task) }
    if (!(Number(task.faults) > 0)) return { status: 'running' }
    const fault = fatalFaultIn(await service.errorEvents(id, signal))
    if (!fault) return { status: 'running' }
    return { status: 'failed', reason: said('Globus met a fault that stays', fault.code, fault.description) }
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    return { status: isUnknownTask(error) ? 'failed' : 'unknown', reason: error.message }
  }
}

function isUnknownTask(error: unknown): boolean {
  return error instanceof TransferError && error.code === 'NotFound'
}

function whyFailed({ fatal_error, nice_status }: GlobusDocument): string {
  const { code, description } = (fatal_error ?? {}) as GlobusDocument
  return said('Globus gave it up', code, description, nice_status)
}

function said(what: string, ...words: readonly unknown[]): string {
  const texts = words.filter((word): word is string => typeof word === 'string' && word !== '')
  return [what, ...texts.map(text => printable(redactText(text)))].join(': ').slice(0, 500)
}

function detailsIn(taskId: string, task: GlobusDocument): TransferDetails | undefined {
  if (task.status !== 'SUCCEEDED') return undefined
  const start = Date.parse(String(task.request_time))
  const end = Date.parse(String(task.completion_time))
  if (Number.isNaN(start) || Number.isNaN(end)) return undefined
  return {
    taskId,
    sourceEndpoint: String(task.source_endpoint_id),
    destinationEndpoint: String(task.destination_endpoint_id),
    startTime: new Date(start).toISOString(),
    endTime: new Date(end).toISOString(),
    duration: (end - start) / 1000,
    bytes: Number(task.bytes_transferred),
    bandwidth: Number(task.effective_bytes_per_second),
  }
}
