/** Sending clones to other librarians (librarian 11.4): their tasks, and what receivers call. */
import type { Method, MethodName } from '@arriero/transfer'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Settings } from '../config.ts'
import type { Log } from '../log.ts'
import { corruptRoutes } from '../routes/corrupt.ts'
import { keptCloneRoutes } from '../routes/kept-clones.ts'
import type { Route } from '../routes/route.ts'
import type { Alarms } from '../services/alarms.ts'
import type { CopyReader } from '../services/copies/read-copies.ts'
import type { PeerConnections } from '../services/peer-connections.ts'
import { createCheckQueue } from '../services/sending/check-queue.ts'
import { createConsumeQueue } from '../services/sending/consume-queue.ts'
import { createKeptClones } from '../services/sending/kept-clones.ts'
import { methodCarrier } from '../services/sending/method-carrier.ts'
import type { SendingParts } from '../services/sending/parts.ts'
import { pullCarrier } from '../services/sending/pull-carrier.ts'
import { createResend } from '../services/sending/resend.ts'
import { createRetry, type Retry } from '../services/sending/retry.ts'
import { createSendBatch } from '../services/sending/send-batch.ts'
import { createSendClone } from '../services/sending/send-clone.ts'
import { createSuperviseOutgoing } from '../services/sending/supervise-outgoing.ts'
import { createWake } from '../services/sending/wake.ts'
import { createWorkQueue } from '../services/sending/work-queue.ts'
import { checkConsumedQueueTask } from '../tasks/check-consumed-queue.ts'
import { consumeQueueTask } from '../tasks/consume-queue.ts'
import { duplicateRemoteInstanceHypervisorTask } from '../tasks/duplicate-remote-instance-hypervisor.ts'
import { outgoingTransferHypervisorTask } from '../tasks/outgoing-transfer-hypervisor.ts'
import { sendCloneTask } from '../tasks/send-clone.ts'
import type { TaskKind } from '../tasks/task.ts'

export interface SendingFeatureOptions {
  readonly settings: Pick<
    Settings,
    'name' | 'maxSearchResults' | 'maxAsyncSendRetries' | 'maxAsyncInflightTransfers' | 'background'
  >
  readonly catalogue: Catalogue
  readonly connections: PeerConnections
  /** By kind; the receiver's own fetching is not among them. */
  readonly methods: ReadonlyMap<MethodName, Method>
  readonly reader: Pick<CopyReader, 'read'>
  readonly alarms: Alarms
  readonly clock: Clock
  readonly log: Log
  readonly random: (bytes: number) => Buffer
  /** This process, as leases name it. */
  readonly holder: string
  readonly tuning?: {
    readonly leaseSeconds?: number
    readonly pauseSeconds?: number
    readonly lookMs?: number
    readonly lookSeconds?: number
  }
}

export interface SendingFeature {
  readonly routes: readonly Route[]
  readonly tasks: readonly TaskKind[]
  /** Until the signal: the queue, as soon as there is something in it. */
  readonly work: (signal: AbortSignal) => Promise<void>
  /** Of one transfer, as an administrator wants it. */
  readonly retry: Retry
}

export function createSendingFeature(options: SendingFeatureOptions): SendingFeature {
  const { settings, catalogue, connections, methods, tuning = {} } = options
  const wake = createWake(options)
  const carriers = new Map([...methods].map(([kind, method]) => [kind, methodCarrier(method)]))
  carriers.set('http', pullCarrier({ connections, lookSeconds: tuning.lookSeconds }))
  const parts: SendingParts = { ...options, ...tuning, name: settings.name, carriers, wake }
  const sendBatch = createSendBatch(parts)
  const sendClone = createSendClone(parts, sendBatch)
  const check = createCheckQueue(parts)
  const consume = createConsumeQueue({
    ...parts,
    maxRetries: settings.maxAsyncSendRetries,
    maxMoving: settings.maxAsyncInflightTransfers,
    pauseSeconds: tuning.pauseSeconds,
  })
  const { consume_queue: consuming, check_consumed_queue: checking } = settings.background
  const isQueueServed = consuming.length > 0 && checking.length > 0
  const resend = createResend({ parts, catalogue, reader: options.reader, sendBatch, isQueueServed })
  const retry = createRetry({ catalogue, sendBatch, wake })
  const clones = createKeptClones({ catalogue, name: settings.name, wake })
  return {
    retry,
    routes: [...keptCloneRoutes({ clones, maxResults: settings.maxSearchResults }), ...corruptRoutes(resend)],
    tasks: [
      sendCloneTask(sendClone),
      consumeQueueTask(consume),
      checkConsumedQueueTask(check),
      outgoingTransferHypervisorTask(createSuperviseOutgoing(parts)),
      duplicateRemoteInstanceHypervisorTask(),
    ],
    work: createWorkQueue({
      wake,
      log: options.log,
      consume: consuming.length > 0 ? consume : undefined,
      check: checking.length > 0 ? check : undefined,
      lookMs: tuning.lookMs,
    }),
  }
}
