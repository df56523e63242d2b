/**
 * `GET|HEAD /api/v2/data/{name}`: bytes of a file or of a tree's member, with their digest; of a tree, its members as JSON.
 *
 * The head says what the bytes must be (reliability D7). Whatever goes wrong after it ends the connection: nobody can take a
 * part for the whole.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path/posix'
import { Buffers } from '../http/buffers.ts'
import { chooseRange, type RangeChoice } from '../http/byte-range.ts'
import { judgeConditions, mayUseRange } from '../http/conditions.ts'
import { contentDisposition } from '../http/content-disposition.ts'
import { formatDigests } from '../http/digest-fields.ts'
import { ReadFailure, sendBytes } from '../http/send-bytes.ts'
import { Downloads } from '../services/data/downloads.ts'
import type { Tickets } from '../services/data/tickets.ts'
import type { Data, DataFile, DataTree, OpenData } from '../services/data.ts'
import { etagOf } from './data/etag.ts'
import { nameFromPath } from './data/path.ts'
import { treeListing } from './data/tree-listing.ts'
import type { RawCall, RawRoute } from './raw-route.ts'

export const dataPrefix = '/api/v2/data/'

export interface DataRouteOptions {
  readonly data: Data
  readonly tickets: Tickets
  /** Whether somebody still has an account that may read: a ticket does not outlive that. */
  readonly mayRead: (username: string) => Promise<boolean>
  /** Downloads of one user at once. Default 64. */
  readonly perUser?: number | undefined
  /** Downloads of all at once. Default 1000. */
  readonly total?: number | undefined
  /** A caller who takes nothing for so long is cut off; ms. Default 60,000. */
  readonly idleMs?: number | undefined
}

export function dataRoute({ data, tickets, mayRead, perUser, total, idleMs = 60_000 }: DataRouteOptions): RawRoute {
  const downloads = new Downloads({ perUser, total })
  const buffers = new Buffers()
  return {
    methods: ['GET', 'HEAD'],
    path: `${dataPrefix}*`,
    level: 'READONLY',
    identify: async request => {
      const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
      const caller = bearer === undefined ? undefined : tickets.redeem(bearer, nameOf(request))
      return caller !== undefined && (await mayRead(caller.name)) ? caller : undefined
    },
    async handle(request, response, call) {
      using _ = downloads.enter(call.caller.name)
      const found = await data.find(nameOf(request))
      // Awaited here: the download counts until it has ended.
      if (found.kind === 'tree') return await sendTree(found, { idleMs, request, response })
      return await sendFile(found, { data, buffers, idleMs, request, response, call })
    },
  }
}

function nameOf(request: IncomingMessage): string {
  const path = (request.url ?? '').split('?', 1)[0] as string
  return nameFromPath(path.slice(dataPrefix.length))
}

async function sendTree(
  tree: DataTree,
  { idleMs, request, response }: Pick<Download, 'idleMs' | 'request' | 'response'>,
): Promise<void> {
  const { bytes, sha256 } = treeListing(tree)
  const etag = `"${sha256}"`
  setCommon(response, etag)
  if (answerCondition(request, response, etag)) return
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    'repr-digest': formatDigests({ sha256 }),
  })
  response.setTimeout(idleMs, () => response.destroy())
  const isOver = response.closed || new Promise(resolve => response.once('close', resolve))
  response.end(request.method === 'HEAD' ? undefined : bytes)
  await isOver
}

interface Download {
  readonly data: Data
  readonly buffers: Buffers
  readonly idleMs: number
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly call: RawCall
}

async function sendFile(found: DataFile, download: Download): Promise<void> {
  const { data, request, response } = download
  await using open = await data.open(found)
  const etag = etagOf(found, open.opened.fingerprint)
  setCommon(response, etag)
  if (answerCondition(request, response, etag)) return
  const choice = chosenRange(request, etag, found.size)
  if (choice === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${found.size}`, 'content-length': 0 })
    response.end()
    return
  }
  writeHead(found, choice, response)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  await sendBody(open, choice === 'whole' ? { start: 0, end: found.size } : choice, download)
}

/** RFC 9110 defines ranges for GET only. */
function chosenRange({ method, headers }: IncomingMessage, etag: string, size: number): RangeChoice {
  return method === 'GET' && mayUseRange(headers, etag) ? chooseRange(headers.range, size) : 'whole'
}

/** `no-transform`: an encoding on the way would make other bytes of it. */
function setCommon(response: ServerResponse, etag: string): void {
  response.setHeader('etag', etag)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', 'private, no-transform')
}

function answerCondition(request: IncomingMessage, response: ServerResponse, etag: string): boolean {
  const condition = judgeConditions(request.headers, etag)
  if (condition === 'proceed') return false
  response.writeHead(condition === 'failed' ? 412 : 304, condition === 'failed' ? { 'content-length': 0 } : {})
  response.end()
  return true
}

function writeHead(found: DataFile, choice: Exclude<RangeChoice, 'unsatisfiable'>, response: ServerResponse): void {
  const digests = formatDigests(found.digests)
  if (digests !== undefined) response.setHeader('repr-digest', digests)
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('content-type', 'application/octet-stream')
  response.setHeader('content-disposition', contentDisposition(basename(found.path)))
  if (choice === 'whole') {
    response.writeHead(200, { 'content-length': found.size })
    return
  }
  const { start, end } = choice
  response.writeHead(206, {
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${found.size}`,
  })
}

async function sendBody(
  open: OpenData,
  range: { readonly start: number; readonly end: number },
  { buffers, idleMs, response, call }: Download,
): Promise<void> {
  // Node counts what the kernel takes of a large piece, too: slow is not idle.
  response.setTimeout(idleMs, () => response.destroy())
  const beforeLast = async () => {
    if (!(await open.isUnchanged())) throw new ReadFailure('the file was changed while it was being sent')
  }
  try {
    await sendBytes({ file: open.opened, range, response, buffers, signal: call.signal, beforeLast })
  } catch (error) {
    if (error instanceof ReadFailure) open.doubt(error)
    throw error
  }
  await new Promise<void>(resolve => response.end(resolve))
}
