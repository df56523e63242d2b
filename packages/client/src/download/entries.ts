/** What the engine is told of a file that librarians keep. */
import { LibrarianError, parseChecksum } from '@arriero/api'
import { type ChecksumInput, type Entry, type Hooks, TransferError } from '@arriero/transfer'
import { z } from 'zod'
import { networkError } from '../http/network-error.ts'
import { dataUrl, type Librarian } from '../librarian.ts'
import { tellingHooks } from './away.ts'
import type { Located } from './find-copies.ts'

/** The digest that the catalogue holds, in the engine's words: there, xxh3 has 64 bits. */
export function checksumOf({ file }: Pick<Located, 'file'>): ChecksumInput | undefined {
  if (file.checksum === null) return undefined
  const { function: name, hex } = parseChecksum(file.checksum)
  return { algorithm: name === 'xxh3' ? 'xxh128' : name, value: hex }
}

/** Where each of several librarians has the bytes of a name. */
export function urlsOf({ file, holders }: Located): string[] {
  return holders.map(librarian => dataUrl(librarian, file.name).href)
}

/**
 * Each librarian's own login, for its own origin and no other: also where a mirror or a redirect leads elsewhere
 * (reliability F1).
 */
export function credentialsFor(librarians: readonly Librarian[]): Hooks {
  const logins = new Map(librarians.map(each => [new URL(each.connection.url).origin, each.authorization]))
  return {
    credentials: ({ origin }) => {
      const authorization = logins.get(new URL(origin).origin)
      return authorization === undefined ? undefined : { authorization }
    },
  }
}

const listing = z.object({
  kind: z.literal('tree'),
  checksum: z.string(),
  /** Of the canonical manifest, which knows names; older librarians, and directories within a tree, have none. */
  sha256: z.string().nullish(),
  directories: z.array(z.string()).default([]),
  members: z.array(
    z.object({ path: z.string(), size: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
})

export interface TreeListing {
  /** Of the canonical manifest, hex; undefined: nobody says. */
  readonly sha256: string | undefined
  readonly directories: readonly string[]
  readonly members: readonly ListedMember[]
}

export interface ListedMember {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

/** What is in a tree; the tree's own digest proves it all together. */
export async function listTree(located: Located, signal: AbortSignal | undefined): Promise<TreeListing> {
  const { file, holders } = located
  let failure: unknown
  for (const holder of holders) {
    try {
      return await listTreeAt(holder, file, signal)
    } catch (error) {
      signal?.throwIfAborted()
      failure ??= error
    }
  }
  throw failure
}

async function listTreeAt(
  librarian: Librarian,
  file: Located['file'],
  signal: AbortSignal | undefined,
): Promise<TreeListing> {
  const url = dataUrl(librarian, file.name)
  const answer = await librarian
    .fetch(url, {
      headers: { authorization: librarian.authorization, accept: 'application/json' },
      signal: signal ?? null,
    })
    .catch(error => {
      signal?.throwIfAborted()
      throw networkError(error, url)
    })
  if (!answer.ok) throw refusal(file.name, url, answer.status)
  const parsed = listing.safeParse(await answer.json().catch(() => undefined))
  if (!parsed.success || parsed.data.checksum !== file.checksum) {
    throw new LibrarianError('BadAnswer', `Cannot fetch ${file.name}: ${url.origin} does not list what is in it.`)
  }
  const { sha256, directories, members } = parsed.data
  return { sha256: sha256 ?? undefined, directories, members }
}

/** Logins, and what is told while a librarian is away. */
export function hooksFor(librarians: readonly Librarian[]): Hooks {
  return { ...credentialsFor(librarians), ...tellingHooks(librarians) }
}

/** The members of a tree as entries, each with its digest. */
export function entriesOf({ file, holders }: Located, { members }: TreeListing): Entry[] {
  return members.map(({ path, size, sha256 }, index) => ({
    index,
    uris: holders.map(librarian => dataUrl(librarian, `${file.name}/${path}`).href),
    path,
    size,
    checksums: [{ algorithm: 'sha256', value: sha256 }],
  }))
}

function refusal(name: string, url: URL, status: number): TransferError {
  const code = status === 401 || status === 403 ? 'Denied' : status === 404 ? 'NotFound' : 'Network'
  return new TransferError(code, `Cannot fetch ${name}: ${url.origin} answers ${status}`, { url: url.href, status })
}
