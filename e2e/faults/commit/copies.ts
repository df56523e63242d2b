/** A place whose files and trees have a copy on each of two devices, so that one may go (reliability B1). */
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isKept, type Sending, sendByCopy } from './client.ts'
import type { Engine } from './engines.ts'
import { Place } from './place.ts'
import { type CommitWorkload, moveWorkloads } from './workloads.ts'

/** Memory: another device than any disk. */
const elsewhere = '/dev/shm'

/** Why no copy can be on another device here; undefined: it can. */
export function whyNoSecondDevice(scratch: string): string | undefined {
  const here = statSync(scratch).dev
  const there = statSync(elsewhere, { throwIfNoEntry: false })?.dev
  if (there === undefined) return `there must be a ${elsewhere}`
  return there === here ? `${elsewhere} must be another device than ${scratch}` : undefined
}

export interface CopiesOptions {
  /** Of each: files and trees, to go and to come back. Of a small store 100 copies may go within a day. Default: 24. */
  readonly amount?: number
}

/** @param home empty */
export async function openCopies(home: string, engine: Engine, { amount = 24 }: CopiesOptions = {}) {
  const memory = mkdtempSync(join(elsewhere, 'arriero-faults-'))
  const clean = () => rmSync(memory, { recursive: true, force: true })
  process.once('exit', clean)
  const second = { name: 'second', root: join(memory, 'files'), staging: join(memory, 'staging') }
  const place = await Place.open(home, engine, {
    second,
    settings: { deletion: { proofs: 1, purge_after: 604_800 } },
    prepare: opened => bringCopies(opened, amount),
  })
  return {
    place,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]()
      clean()
      process.off('exit', clean)
    },
  }
}

/** Uploaded to one store; carried to the other by hand, as a person would; then known there because the catalogue is made again. */
async function bringCopies(place: Place, amount: number): Promise<void> {
  const all = uploadsOf(amount)
  const workload: CommitWorkload = {
    name: 'copies',
    isFirst: false,
    hasOneAnswer: false,
    uploadsOf: () => all,
    send: inTurn,
  }
  await place.warm(workload)
  await place.stop()
  const [first, second] = place.stores
  const isTheirs = (path: string) => !path.startsWith(join(first!.root, '.arriero'))
  cpSync(first!.root, second!.root, { recursive: true, filter: isTheirs })
  const broken = await place.rebuild(['--directories', 'leaf'])
  if (broken.length > 0) throw new Error(`copies could not be brought: ${broken.join('; ')}`)
  const rows = await place.query<{ id: number; file_name: string }>(
    `SELECT instance.id, file_name FROM instance JOIN store ON store.id = store_id WHERE store.name = 'files' ORDER BY file_name`,
  )
  const uploads = new Map(all.map(upload => [upload.name, upload]))
  for (const { id, file_name } of rows) {
    place.stock.push({ upload: uploads.get(file_name)!, copy: { instanceId: Number(id), trashId: undefined } })
  }
  await trashHalf(place, amount)
}

/** What is to come back must have gone. */
async function trashHalf(place: Place, amount: number): Promise<void> {
  for (const workload of moveWorkloads.filter(({ moves }) => moves!.to === 'in the trash')) {
    for (let count = 0; count < amount; count++) await place.warm(workload)
  }
  const rows = await place.query<{ id: string; instance_id: number; file_name: string }>(
    'SELECT id, instance_id, file_name FROM trash',
  )
  const uploads = new Map(uploadsOf(amount).map(upload => [upload.name, upload]))
  for (const { id, instance_id, file_name } of rows) {
    place.stock.push({ upload: uploads.get(file_name)!, copy: { instanceId: Number(instance_id), trashId: id } })
  }
}

function uploadsOf(amount: number) {
  return Array.from({ length: 2 * amount }, (_, index) => [
    {
      // Beside no other file but at the top: a directory of files alone is made a tree.
      name: `${index}.fits`,
      content: new Uint8Array(Buffer.alloc(9000, `file ${index} `)),
    },
    {
      name: `many/${index}`,
      content: new Map([
        ['a.txt', new Uint8Array(Buffer.alloc(300, `a ${index} `))],
        ['b.bin', new Uint8Array(Buffer.alloc(70_000, `b ${index} `))],
      ]),
    },
  ]).flat()
}

const inTurn: CommitWorkload['send'] = async (door, sendings) => {
  const told = []
  for (const sending of sendings as Sending[]) told.push(await sendByCopy(door, sending))
  if (!told.every(isKept)) throw new Error(`copies could not be brought: ${JSON.stringify(told)}`)
  return told
}
