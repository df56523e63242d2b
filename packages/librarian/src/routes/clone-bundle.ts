/**
 * `POST /api/v2/clone/bundle`: many files as one archive, in the order of their names, since a request each costs more than a
 * small file's bytes. Of a tree there is an entry without its members. A file that cannot be read ends the archive before it;
 * where it is the first, the answer is why.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LibrarianError } from '@arriero/api'
import { parseJson } from '../app/parse-json.ts'
import { Buffers } from '../http/buffers.ts'
import { BundleWriter } from '../http/bundle-writer.ts'
import { bundlePath, bundleRequest, MAX_BUNDLE } from '../services/clones/bundle-form.ts'
import { Downloads } from '../services/data/downloads.ts'
import { Rooms, WholeReads } from '../services/data/whole-reads.ts'
import type { Data, DataFile, DataTree, OpenData } from '../services/data.ts'
import type { RawRoute } from './raw-route.ts'

export interface BundleRouteOptions {
  readonly data: Data
  /** Bundles of one user at once. Default 16. */
  readonly perUser?: number | undefined
  /** Bundles of all at once. Default 256. */
  readonly total?: number | undefined
  /** A caller who takes nothing for so long is cut off; ms. Default 60,000. */
  readonly idleMs?: number | undefined
}

/** Files that are opened before their turn. */
const AHEAD = 8

/** Of a request: names of the longest kind, each of their characters escaped. */
const MOST_BYTES = MAX_BUNDLE * 256 * 6 + 1024

export function bundleRoute({ data, perUser = 16, total = 256, idleMs = 60_000 }: BundleRouteOptions): RawRoute {
  const downloads = new Downloads({ perUser, total })
  const buffers = new Buffers()
  const rooms = new Rooms()
  return {
    methods: ['POST'],
    path: bundlePath,
    level: 'CALLBACK',
    async handle(request, response, { caller, signal }) {
      using _ = downloads.enter(caller.name)
      const names = await readNames(request, idleMs)
      const found = await data.findMany(names)
      await send(found, { data, buffers, rooms, response, signal, idleMs })
    },
  }
}

async function readNames(request: IncomingMessage, idleMs: number): Promise<readonly string[]> {
  const pieces: Buffer[] = []
  let length = 0
  request.setTimeout(idleMs, () => request.destroy())
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > MOST_BYTES) throw new LibrarianError('TooLarge', `Cannot read the names: ${MOST_BYTES} bytes at most`)
    pieces.push(piece)
  }
  const parsed = bundleRequest.safeParse(parseJson(Buffer.concat(pieces).toString()))
  if (parsed.success) return parsed.data.names
  throw new LibrarianError('BadRequest', `Cannot make a bundle: there must be 1 to ${MAX_BUNDLE} names`)
}

interface Sending {
  readonly data: Data
  readonly buffers: Buffers
  readonly rooms: Rooms
  readonly response: ServerResponse
  readonly signal: AbortSignal
  readonly idleMs: number
}

type Found = DataFile | DataTree | LibrarianError

interface Ready {
  readonly file: DataFile
  /** In memory, or to be read. */
  readonly content: Uint8Array | OpenData
}

async function send(
  found: readonly Found[],
  { data, buffers, rooms, response, signal, idleMs }: Sending,
): Promise<void> {
  const wholes = new WholeReads(found, { data, rooms })
  const ahead: Promise<Ready | DataTree>[] = []
  let next = 0
  const openNext = () => {
    if (next >= found.length) return
    const opening = openOne(found[next++]!, wholes, data)
    // It is met when its turn comes.
    opening.catch(() => {})
    ahead.push(opening)
  }
  while (ahead.length < AHEAD && next < found.length) openNext()
  const writer = new BundleWriter({ response, buffers, signal })
  try {
    for (let first = true; ahead.length > 0; first = false) {
      const opening = ahead.shift()!
      openNext()
      const one = await opening.catch((error: unknown) => {
        if (first) throw error
        return undefined
      })
      if (!one) break
      if (first) begin(response, idleMs)
      if ('content' in one) {
        await sendFile(one, writer)
        wholes.done(one.file)
      } else await writer.entry({ path: one.path, type: 'directory', size: 0 })
    }
    await writer.end()
  } finally {
    writer[Symbol.dispose]()
    const left = await Promise.allSettled(ahead)
    for (const one of left) if (one.status === 'fulfilled') await close(one.value)
  }
}

async function openOne(found: Found, wholes: WholeReads, data: Data): Promise<Ready | DataTree> {
  if (found instanceof LibrarianError) throw found
  if (found.kind === 'tree') return found
  return { file: found, content: (await wholes.of(found)) ?? (await data.open(found)) }
}

async function close(one: Ready | DataTree): Promise<void> {
  if ('content' in one && !(one.content instanceof Uint8Array)) await one.content[Symbol.asyncDispose]()
}

function begin(response: ServerResponse, idleMs: number): void {
  response.setTimeout(idleMs, () => response.destroy())
  response.writeHead(200, { 'content-type': 'application/x-tar', 'cache-control': 'private, no-transform' })
}

async function sendFile({ file, content }: Ready, writer: BundleWriter): Promise<void> {
  const entry = { path: file.path, type: 'file', size: file.size } as const
  if (content instanceof Uint8Array) return await writer.whole(entry, content)
  await using held = content
  try {
    await writer.file(entry, held.opened)
  } catch (error) {
    if (writer.isReadFailure(error)) held.doubt(error)
    throw error
  }
}
