/**
 * What a later run needs to continue an upload: one small file for each, in the user's own state directory. A record that is
 * lost or unreadable only costs that the upload begins anew.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Environment } from '../settings/settings-file.ts'

/** Which upload it is. Other bytes, another name or another librarian make it another one. */
export interface UploadIdentity {
  readonly url: string
  readonly user: string
  readonly destination: string
  readonly checksum: string
  readonly size: number
}

const recordSchema = z.object({
  version: z.literal(1),
  destination: z.string(),
  /** The server's answer to stage, as it came. */
  staged: z.record(z.string(), z.unknown()),
})

export type ResumeRecord = Omit<z.output<typeof recordSchema>, 'version'>

/** What an interrupted upload remembers on this machine. */
export interface ResumeRecords {
  find(upload: UploadIdentity): Promise<ResumeRecord | undefined>
  /** Replaces what was kept. */
  keep(upload: UploadIdentity, record: ResumeRecord): Promise<void>
  forget(upload: UploadIdentity): Promise<void>
}

/** Kept as files of a directory. */
export function createResumeRecords(directory: string): ResumeRecords {
  const pathOf = (upload: UploadIdentity) => join(directory, `${keyOf(upload)}.json`)
  return {
    async find(upload) {
      try {
        const { version: _, ...record } = recordSchema.parse(JSON.parse(await readFile(pathOf(upload), 'utf8')))
        return record
      } catch {
        return undefined
      }
    },
    async keep(upload, record) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const path = pathOf(upload)
      const temporary = `${path}.${process.pid}.tmp`
      const handle = await open(temporary, 'w', 0o600)
      try {
        await handle.writeFile(JSON.stringify({ version: 1, ...record }))
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
    },
    async forget(upload) {
      await rm(pathOf(upload), { force: true })
    },
  }
}

/** `$XDG_STATE_HOME/arriero/uploads`. */
export function uploadStateDirectory(env: Environment): string {
  const state = env.XDG_STATE_HOME || join(env.HOME ?? homedir(), '.local', 'state')
  return join(state, 'arriero', 'uploads')
}

function keyOf({ url, user, destination, checksum, size }: UploadIdentity): string {
  return createHash('sha256')
    .update(JSON.stringify([url, user, destination, checksum, size]))
    .digest('hex')
    .slice(0, 40)
}
