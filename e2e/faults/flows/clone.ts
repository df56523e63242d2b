/** What another librarian sends is fetched: told as kept when both sides know it (librarian 11.4). */
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { call, type Door, isKept, refused, type Sending, sendByCopy, type Told } from '../commit/client.ts'
import { bytesOf, type CommitWorkload, fewOf, fileOf, treeOf } from '../commit/workloads.ts'

/** It goes on by itself; whoever waits for longer asks again. */
const patienceMs = 4000
const pollMs = 20
/** As the wire numbers states (librarian 2); what follows has failed or was cancelled. */
const completed = 3

const shape = { isFirst: false, hasOneAnswer: false, isByItself: true }

export const cloneWorkloads: readonly CommitWorkload[] = [
  { name: 'file', ...shape, uploadsOf: prefix => [fileOf(prefix)], send: sendByClone },
  { name: 'tree', ...shape, uploadsOf: prefix => [treeOf(prefix)], send: sendByClone },
  {
    name: 'several',
    ...shape,
    // Small ones come in an archive, a large one by ranges.
    uploadsOf: prefix => [...fewOf(prefix), { name: `${prefix}/large`, content: bytesOf(prefix, 3 << 20, 7) }],
    send: sendByClone,
  },
]

/** What lies at the other librarian already. */
const sent = new WeakSet<Sending>()

export async function sendByClone(door: Door, sendings: readonly Sending[]): Promise<readonly Told[]> {
  const beside = door.beside!
  for (const sending of sendings) {
    if (sent.has(sending)) continue
    const told = await sendByCopy(beside, { upload: sending.upload })
    if (!isKept(told)) throw new Error(`${sending.upload.name} cannot be uploaded: ${JSON.stringify(told)}`)
    sent.add(sending)
  }
  return await whenAll(door, () => Promise.all(sendings.map(({ upload }) => askAfter(beside, upload.name))))
}

/** Asks until all is kept, for a while, and as long as whoever is to keep it runs. */
export async function whenAll(door: Door, ask: () => Promise<readonly Told[]>): Promise<readonly Told[]> {
  for (const end = performance.now() + patienceMs; ; await setTimeoutPromise(pollMs)) {
    const told = await ask()
    if (told.every(isKept) || performance.now() > end || door.isRunning?.() === false) return told
  }
}

/** What the sender believes. */
async function askAfter(beside: Door, name: string): Promise<Told> {
  const [found, outgoing] = await Promise.all([
    call(beside, 'search/file', { name }),
    call(beside, 'transfers/outgoing', { file_name: name }),
  ])
  if (found.status >= 300) return refused(found)
  if (outgoing.status >= 300) return refused(outgoing)
  const [file] = found.body as { remote_instances: unknown[] }[]
  const { transfers } = outgoing.body as { transfers: { status: number; reason: string | null }[] }
  const isEnded = transfers.every(({ status }) => status >= completed)
  if (file!.remote_instances.length > 0 && isEnded) return { outcome: 'acknowledged' }
  return { outcome: 'unknown', reason: `not yet: ${transfers.map(each => `${each.status} ${each.reason}`).join(', ')}` }
}
