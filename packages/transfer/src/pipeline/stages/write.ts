import { constants } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskError } from '../../disk-error.ts'
import type { EngineParts } from '../../engine.ts'
import { openOrdinary } from '../../ordinary-file.ts'
import { syncDirectory } from '../../publish/directories.ts'
import type { Staging } from '../../publish/staging.ts'
import type { ItemContext, ItemInFlight, Written } from '../item.ts'
import type { StageDefinition, StageOptions, StageRun } from '../stage.ts'
import { contentOf } from './content.ts'
import { Targets } from './targets.ts'

export interface WriteOptions extends StageOptions {
  /** What paths are relative to, and inside of which they stay. Default: the current directory. */
  readonly directory?: string | undefined
  /** `error`: a file with other content fails the item. Default `overwrite`. */
  readonly ifExists?: 'overwrite' | 'error' | undefined
}

/** Files up to this size are published in groups. */
const SMALL = 8 << 20
/** More than of other stages: they wait for one sync together. */
const AT_ONCE = 256

/** A file for each item, which appears only when it is whole and durable (reliability A1, A2). */
export function write(
  target: (value: never, item: ItemContext<never>) => string,
  name: string,
  options: WriteOptions,
): StageDefinition {
  return {
    kind: 'write',
    name,
    options,
    about: `a file for each item in ${options.directory ?? 'the current directory'}`,
    start: ({ engine }: StageRun) => {
      const targets = new Targets(options.directory ?? '.')
      const conflict = options.ifExists ?? 'overwrite'
      return {
        concurrency: AT_ONCE,
        async run(value: unknown, item: ItemContext): Promise<Written> {
          const content = contentOf(value, name)
          const final = await targets.take(target(value as never, item as never), item)
          const staging = engine.stagingFor(targets.directory)
          await staging.prepare()
          const publication = { engine, staging, conflict, signal: item.signal }
          const path = await publish(content, final, publication).catch(async error => {
            // A run that was killed had written it and not written down that it had.
            if (codeOf(error) === 'Exists' && (await isSame(final, content))) return final
            throw error
          })
          const written = { path, size: content.byteLength }
          ;(item as ItemInFlight).outputs.push(written)
          return written
        },
      }
    },
  }
}

interface Publication {
  readonly engine: EngineParts
  readonly staging: Staging
  readonly conflict: 'overwrite' | 'error'
  readonly signal: AbortSignal
}

/** Small content goes to the publishing thread over shared memory, and many share a sync; large content is written here. */
async function publish(content: Uint8Array, final: string, { engine, staging, conflict, signal }: Publication) {
  const temp = staging.next()
  const job = { temp, final, root: staging.root, conflict, mtimeMs: undefined, isDurable: true }
  if (content.byteLength > Math.min(SMALL, engine.slots.budget / 4)) {
    try {
      await writeWhole(temp, final, content)
      return await engine.publisher.publish({ ...job, content: undefined })
    } finally {
      // Half-written on a full disk, or a second name of what was published by a link.
      await unlink(temp).catch(() => {})
    }
  }
  const slot = await engine.slots.reserve(content.byteLength, signal)
  try {
    slot.bytes.set(content)
    return await engine.publisher.publish({ ...job, content: { slot, length: content.byteLength } })
  } finally {
    slot.release()
  }
}

async function writeWhole(temp: string, final: string, content: Uint8Array): Promise<void> {
  try {
    const file = await open(temp, 'wx')
    try {
      await file.writeFile(content)
      await file.datasync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw diskError(error, 'write', final)
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

/** It is there with this content, and durably: who wrote it may not have come to that. */
async function isSame(path: string, content: Uint8Array): Promise<boolean> {
  const file = await openOrdinary(path, constants.O_RDONLY)
  try {
    const { size } = await file.stat()
    if (size !== content.byteLength || !(await file.readFile()).equals(content)) return false
    await file.datasync()
  } finally {
    await file.close()
  }
  await syncDirectory(dirname(path))
  return true
}
