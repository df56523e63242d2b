import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Batch } from '../publish/batch.ts'
import type { FromWorker, PublishJob, ToWorker } from '../publish/job.ts'

/** Files in one batch at most, so that a failing barrier condemns few. */
const MAX_FILES = 2048

/** ms that a batch waits for more files before it is published. */
const MAX_WAIT_MS = 200

const port = parentPort
if (!port) throw new Error('publish-worker.ts runs as a worker thread only')

const batch = new Batch(new Uint8Array((workerData as { memory: SharedArrayBuffer }).memory))
let timer: NodeJS.Timeout | undefined

function tell(message: FromWorker): void {
  port?.postMessage(JSON.stringify(message))
}

function stage(jobs: readonly PublishJob[]): void {
  for (const job of jobs) batch.stage(job)
  tell({ kind: 'written', ids: jobs.map(job => job.id) })
}

function publish(): void {
  clearTimeout(timer)
  timer = undefined
  if (batch.size > 0) batch.publish(outcomes => tell({ kind: 'published', outcomes }))
}

function handle(message: ToWorker): void {
  if (message.kind === 'jobs') {
    stage(message.jobs)
    if (batch.size >= MAX_FILES) publish()
    else timer ??= setTimeout(publish, MAX_WAIT_MS)
    return
  }
  publish()
  if (message.kind === 'close') port?.close()
}

port.on('message', (text: string) => {
  handle(JSON.parse(text) as ToWorker)
  // Whatever came while we worked joins this batch, without a turn of the event loop each.
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
    handle(JSON.parse(next.message) as ToWorker)
})
