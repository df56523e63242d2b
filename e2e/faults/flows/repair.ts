/** Copies that rot get good bytes from another librarian (reliability B5). */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { type Content, call, type Door, put, refused, type Sending, type Told } from '../commit/client.ts'
import type { Place } from '../commit/place.ts'
import { type CommitWorkload, fileOf, inTurn, treeOf } from '../commit/workloads.ts'
import { sendByClone } from './clone.ts'

/** Of each: files and trees. After so many a place begins anew. */
const amount = 12

export const repairWorkloads: readonly CommitWorkload[] = [repairing('file', false), repairing('tree', true)]

function repairing(name: string, isTree: boolean): CommitWorkload {
  const takes = ({ upload, bad }: Sending) => bad !== undefined && upload.content instanceof Uint8Array !== isTree
  const moves = { to: 'in place', takes } as const
  return { name, isFirst: false, hasOneAnswer: false, moves, uploadsOf: () => [], send: inTurn(sendRepair) }
}

/** Copies that both librarians have, none of them damaged yet. */
export async function bringRepairable(place: Place): Promise<void> {
  const uploads = Array.from({ length: amount }, (_, n) => [fileOf(`rot-${n}`), treeOf(`rot-${n}`)]).flat()
  const shape = { isFirst: false, hasOneAnswer: false, isByItself: true }
  await place.warm({ name: 'stock', ...shape, uploadsOf: () => uploads, send: sendByClone })
  for (const upload of uploads) place.stock.push({ upload, bad: damaged(upload.content) })
}

const rotten = new WeakSet<Sending>()

async function sendRepair(door: Door, sending: Sending): Promise<Told> {
  const { name } = sending.upload
  if (!rotten.has(sending)) {
    rotten.add(sending)
    rot(join(door.root, name), sending.bad!)
  }
  try {
    const answer = await call(door, 'repair/file', { file_name: name })
    if (answer.status !== 200) return refused(answer)
    const { copies } = answer.body as { copies: { outcome: string; reason: string | null }[] }
    if (copies.every(({ outcome }) => outcome === 'repaired' || outcome === 'good')) return { outcome: 'acknowledged' }
    return { outcome: 'refused', status: 200, reason: JSON.stringify(copies) }
  } catch (error) {
    return { outcome: 'unknown', reason: String((error as Error).cause ?? error) }
  }
}

/** As a disk would: nobody is told. */
function rot(path: string, bad: Content): void {
  const files = bad instanceof Uint8Array ? [path] : [...bad].flatMap(([at, bytes]) => (bytes ? [join(path, at)] : []))
  for (const file of files) chmodSync(file, 0o644)
  put(path, bad)
}

/** Of a tree, one of its files. */
function damaged(content: Content): Content {
  if (!(content instanceof Uint8Array)) {
    const [path, bytes] = [...content].find(([, each]) => each !== null)!
    return new Map([...content, [path, damaged(bytes!) as Uint8Array]])
  }
  const bad = new Uint8Array(content)
  const middle = bad.length >> 1
  bad[middle] = bad[middle]! ^ 1
  return bad
}
