/**
 * Ways to bring the bytes of an upload or a clone to a librarian (librarian 8, 9). Real clients read every entry as the
 * `local` one, so each carries `hostnames`; fields that they do not know they ignore.
 */
import { z } from 'zod'
import { LibrarianError } from '../errors.ts'

/** Name of a provider → what it needs. Order matters: callers take the first that works for them. */
export const uploadProviders = z.record(z.string(), z.looseObject({ hostnames: z.array(z.string()) }))

/** The ways in which a user may bring bytes. */
export type UploadProviders = z.output<typeof uploadProviders>

/** `local`: copy to the staging location, on one of these machines. */
export const localProvider = z.object({ hostnames: z.array(z.string()) })

/** `http`, ours: send the bytes to this address, then commit as always. */
export const httpProvider = z.object({
  hostnames: z.array(z.string()).length(0),
  /** Of the upload itself, which exists already: HEAD, then PATCH. Read it with `bytesUrl`. */
  url: z.string(),
  protocol: z.literal('tus').default('tus'),
  version: z.string().optional(),
  /** The most bytes that one PATCH may carry; absent: no limit. */
  max_chunk_bytes: z.int().positive().optional(),
  /** Kinds of archive as which a directory may be sent to this address; absent: files only. See `archiveHeaders`. */
  archives: z.array(z.string()).optional(),
  /** Files and directories that one archive may have; absent: nobody says. */
  max_members: z.int().positive().optional(),
})

/** Bytes over HTTP: to which address. */
export type HttpProvider = z.output<typeof httpProvider>

/**
 * What a sender says with every request when the bytes are a directory's, as a POSIX archive: how long that is, since what was
 * announced is the size of its files.
 */
export function archiveHeaders(length: number): Record<string, string> {
  return { 'upload-length': String(length), 'upload-metadata': `archive ${btoa('tar')}` }
}

/**
 * Where the bytes of an upload go. A path begins where the librarian’s own address ends, so that a proxy may put a prefix
 * before both; another origin is refused, because credentials go along.
 *
 * @param address of the connection
 * @throws LibrarianError BadAnswer
 */
export function bytesUrl(address: string, provider: Pick<HttpProvider, 'url'>): string {
  const { url } = provider
  const found = URL.parse(/^\/(?!\/)/.test(url) ? address + url : url)
  if (found && found.origin === new URL(address).origin) return found.href
  const origin = found ? found.origin : 'none'
  throw new LibrarianError('BadAnswer', `Cannot send bytes: their address must be at ${address}, got ${origin}`)
}

/** How a sender can push into a receiver; the kind is told by the fields, not by the key (librarian 9). */
export const asyncProviders = z.record(z.string(), z.looseObject({}))

/** The ways in which another librarian may send, in the receiver's order. */
export type AsyncProviders = z.output<typeof asyncProviders>
