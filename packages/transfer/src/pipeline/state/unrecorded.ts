import { constants } from 'node:fs'
import { type FileHandle, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { diskError } from '../../disk-error.ts'
import type { EngineParts } from '../../engine.ts'
import { TransferError } from '../../errors.ts'
import { openOrdinary } from '../../ordinary-file.ts'
import type { PipelineState } from './state.ts'

/**
 * Without a state file nothing is remembered, and an appended output has its name only when the run came to its end: until
 * then it is a private file beside it.
 */
export async function openUnrecorded(output: string | undefined, engine: EngineParts): Promise<PipelineState> {
  const nothing = { nth: 1, record: undefined }
  if (output === undefined) return { find: () => nothing, commit: async () => {}, close: async () => {} }
  const final = resolve(output)
  const root = dirname(final)
  if (await stat(final).catch(() => undefined)) {
    const message = `Cannot append to ${final}: it exists already, and no state tells what is in it`
    throw new TransferError('Exists', message, {
      file: final,
      remedy: 'Remove it, name another file, or the state that knows it.',
    })
  }
  const staging = engine.stagingFor(root)
  await staging.prepare()
  const temp = staging.next()
  const file = await openOrdinary(temp, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
  return {
    find: () => nothing,
    async commit(batch) {
      const lines = batch.flatMap(({ line }) => (line ? [line] : []))
      if (lines.length > 0) await file.appendFile(Buffer.concat(lines)).catch(error => fail(error, final))
    },
    async close(isComplete) {
      if (!isComplete) return discard(file, temp)
      await file.datasync().catch(error => fail(error, final))
      await file.close()
      await engine.publisher.publish({
        temp,
        final,
        root,
        content: undefined,
        conflict: 'error',
        mtimeMs: undefined,
        isDurable: true,
      })
      // It was published by a link: this is its second name.
      await unlink(temp).catch(() => {})
    },
  }
}

async function discard(file: FileHandle, temp: string): Promise<void> {
  await file.close()
  await unlink(temp).catch(() => {})
}

function fail(error: unknown, path: string): never {
  throw diskError(error, 'write', path)
}
