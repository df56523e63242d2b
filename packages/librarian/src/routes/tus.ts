/**
 * tus 1.0 (core, creation, creation-with-upload, expiration, checksum, termination): uploads that go on where they broke off.
 *
 * `upload/stage` announces an upload and names its address here, and `upload/commit` keeps it. A plain tus client may
 * also create one by itself; then it is committed as soon as all bytes are there, before the last piece is answered.
 *
 * A directory comes as a POSIX archive. Upload-Metadata says `archive tar`, Upload-Length how long the archive is; the announced
 * size stays that of its files (`size`, where a plain client creates the upload).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ErrorCode, errorTable, LibrarianError } from '@arriero/api'
import { endAfterBody } from '../http/end-after-body.ts'
import { UploadBody, type UploadEnd } from '../http/upload-body.ts'
import { bytesPath } from '../services/byte-uploads/provider.ts'
import type { ByteUpload, ByteUploads, Writing } from '../services/byte-uploads.ts'
import type { RawCall, RawRoute } from './raw-route.ts'
import { type CreateUpload, parseCreation, statedArchive } from './tus/creation.ts'
import { statedDigest } from './tus/stated-digest.ts'

const version = '1.0.0'
const extensions = 'creation,creation-with-upload,expiration,checksum,termination'
const pieceType = 'application/offset+octet-stream'

export interface TusRouteOptions {
  readonly uploads: ByteUploads
  /** Announces an upload as its caller, and resolves to its token. */
  readonly create: (wanted: CreateUpload, call: RawCall) => Promise<string>
  /** Keeps an upload whose bytes are all there; of one that is kept already, nothing. */
  readonly commit: (upload: ByteUpload) => Promise<void>
  /** Largest upload. */
  readonly maxSize: number
}

export function tusRoutes(options: TusRouteOptions): RawRoute[] {
  const common = { level: 'READAPPEND', openMethods: ['OPTIONS'], writeFailure, asksForBody: true } as const
  return [
    {
      ...common,
      methods: ['OPTIONS', 'POST'],
      path: bytesPath,
      handle: (request, response, call) => {
        setVersion(response)
        if (request.method === 'OPTIONS') return describe(response, options)
        if (!hasVersion(request)) return refuseVersion(response)
        return create(request, response, { ...options, call })
      },
    },
    {
      ...common,
      methods: ['OPTIONS', 'HEAD', 'PATCH', 'DELETE'],
      path: `${bytesPath}/:token`,
      handle: async (request, response, call) => {
        setVersion(response)
        if (request.method === 'OPTIONS') return describe(response, options)
        if (!hasVersion(request)) return refuseVersion(response)
        const found = await options.uploads.find(tokenOf(request), call.caller.name)
        if (request.method === 'DELETE') return terminate(found, response, options)
        const archive = statedArchive(request.headers)
        const upload = archive ? await options.uploads.expectArchive(found, archive) : found
        if (request.method === 'HEAD') return tell(upload, response, options)
        return patch(upload, request, response, { ...options, call })
      },
    },
  ]
}

type Options = TusRouteOptions & { readonly call: RawCall }

async function describe(response: ServerResponse, { maxSize }: TusRouteOptions): Promise<void> {
  response.writeHead(204, {
    'tus-version': version,
    'tus-extension': extensions,
    'tus-max-size': maxSize,
    'tus-checksum-algorithm': 'sha256,sha512,sha1,md5',
  })
  response.end()
}

async function tell(upload: ByteUpload, response: ServerResponse, { uploads, commit }: TusRouteOptions): Promise<void> {
  const offset = await uploads.offset(upload)
  // Who is told that all is there goes away: it must be kept by then (reliability A2).
  if (offset === upload.size && upload.commitsItself) await commit(upload)
  response.writeHead(200, {
    'upload-offset': offset,
    'upload-length': upload.size,
    'upload-expires': expiresOf(upload),
    'cache-control': 'no-store',
  })
  response.end()
}

async function terminate(upload: ByteUpload, response: ServerResponse, { uploads }: TusRouteOptions): Promise<void> {
  await uploads.end(upload, 'given up by its sender')
  response.writeHead(204)
  response.end()
}

async function create(request: IncomingMessage, response: ServerResponse, options: Options): Promise<void> {
  const wanted = parseCreation(request.headers)
  if (wanted.size > options.maxSize) {
    throw new LibrarianError('TooLarge', `Cannot take ${wanted.size} bytes: ${options.maxSize} are the most`)
  }
  const hasBody = request.headers['content-type'] === pieceType
  const token = await options.create(wanted, options.call)
  const upload = await options.uploads.find(token, options.call.caller.name)
  const location = `${bytesPath}/${token}`
  response.setHeader('location', location)
  if (hasBody || upload.size === 0) return receive(upload, { request, response, from: 0, status: 201, options })
  response.writeHead(201, { 'upload-expires': expiresOf(upload), 'upload-offset': 0 })
  response.end()
}

async function patch(
  upload: ByteUpload,
  request: IncomingMessage,
  response: ServerResponse,
  options: Options,
): Promise<void> {
  if (request.headers['content-type'] !== pieceType) {
    throw new LibrarianError('Unsupported', `Cannot append to upload ${upload.token}: the body must be ${pieceType}`, {
      remedy: `Send Content-Type: ${pieceType}.`,
    })
  }
  const from = integerHeader(request, 'upload-offset')
  if (from === undefined) {
    throw badRequest(`Cannot append to upload ${upload.token}: Upload-Offset must say where the body begins`)
  }
  return receive(upload, { request, response, from, status: 204, options })
}

interface Receiving {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Where the sender says that its body begins. */
  readonly from: number
  readonly status: 201 | 204
  readonly options: Options
}

async function receive(upload: ByteUpload, receiving: Receiving): Promise<void> {
  const { request, from, options } = receiving
  const digest = statedDigest(request.headers)
  const length = integerHeader(request, 'content-length')
  if (length !== undefined && from + length > upload.size) throw tooLong(upload)
  if (upload.transfer.status === 'COMPLETED') throw wrongOffset(upload, upload.size, from)
  const offset = await options.uploads.write(upload, async writing => {
    if (writing.offset !== from) throw wrongOffset(upload, writing.offset, from)
    return append(upload, writing, { ...receiving, digest })
  })
  if (offset === undefined) return
  if (offset === upload.size && upload.commitsItself) await options.commit(upload)
  receiving.response.writeHead(receiving.status, { 'upload-offset': offset, 'upload-expires': expiresOf(upload) })
  receiving.response.end()
}

/** Undefined: nobody is left to answer. */
async function append(
  upload: ByteUpload,
  writing: Writing,
  { request, response, digest }: Receiving & { digest: ReturnType<typeof statedDigest> },
): Promise<number | undefined> {
  if (request.headers.expect !== undefined) response.writeContinue()
  const limit = upload.size - writing.offset
  const body = new UploadBody({ request, limit, digest, signal: writing.signal })
  // A body whose length was told, and no digest, cannot be refused any more: what comes counts as it comes.
  const isSure = digest === undefined && request.headers['content-length'] !== undefined
  const offset = await writing.append(body, isSure ? undefined : body.accept)
  return answerable(upload, body, offset) ? offset : undefined
}

function answerable(upload: ByteUpload, body: UploadBody, offset: number): boolean {
  if (body.end === 'too-long') throw tooLong(upload)
  if (body.end === 'whole' && !body.matches) {
    throw new LibrarianError(
      'PieceMismatch',
      `Cannot append to upload ${upload.token} at ${offset}: the piece must have the digest that its sender stated`,
    )
  }
  const gone: readonly (UploadEnd | undefined)[] = ['broken', 'stopped']
  return !gone.includes(body.end)
}

function tooLong(upload: ByteUpload): LibrarianError {
  return new LibrarianError(
    'TooLarge',
    `Cannot append to upload ${upload.token}: it must have ${upload.size} bytes, the body would bring more`,
    { remedy: 'Send as many bytes as were announced.' },
  )
}

function wrongOffset(upload: ByteUpload, offset: number, from: number): LibrarianError {
  return new LibrarianError(
    'Conflict',
    `Cannot append to upload ${upload.token} at ${from}: ${offset} bytes are there`,
    {
      remedy: 'Ask by HEAD how many bytes are there, and go on from them.',
      fields: { upload_offset: offset },
    },
  )
}

function badRequest(message: string): LibrarianError {
  return new LibrarianError('BadRequest', message, { remedy: 'See the protocol: tus 1.0.' })
}

function setVersion(response: ServerResponse): void {
  response.setHeader('tus-resumable', version)
}

function hasVersion(request: IncomingMessage): boolean {
  return request.headers['tus-resumable'] === version
}

async function refuseVersion(response: ServerResponse): Promise<void> {
  response.writeHead(412, { 'tus-version': version, 'content-length': 0, connection: 'close' })
  endAfterBody(response, '')
}

function tokenOf(request: IncomingMessage): string {
  const token = new RegExp(`^${bytesPath}/([0-9a-f]{32})/?(?:\\?|$)`).exec(request.url ?? '')?.[1]
  if (token === undefined) throw new LibrarianError('NotFound', 'Cannot find the upload: there is none of this name')
  return token
}

function integerHeader(request: IncomingMessage, name: 'upload-offset' | 'content-length'): number | undefined {
  const text = request.headers[name]
  if (text === undefined) return undefined
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : undefined
  if (value !== undefined && Number.isSafeInteger(value)) return value
  throw badRequest(`Cannot read ${name}: it must be a whole number`)
}

function expiresOf({ expires }: ByteUpload): string {
  return new Date(expires).toUTCString()
}

const statuses: Partial<Record<ErrorCode, number>> = { BadRequest: 400 }

function writeFailure(error: unknown, response: ServerResponse): void {
  if (error instanceof LibrarianError) {
    const { code, message, remedy, fields, retryAfterSeconds } = error
    const reason = code === 'Internal' ? 'Internal server error.' : message
    const text = JSON.stringify({ reason, suggested_remedy: remedy, ...fields })
    if (code === 'NotAuthenticated' || code === 'Denied') response.setHeader('www-authenticate', 'Basic')
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', Math.ceil(retryAfterSeconds))
    if (typeof fields.upload_offset === 'number') response.setHeader('upload-offset', fields.upload_offset)
    response.writeHead(statuses[code] ?? errorTable[code].status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    endAfterBody(response, text)
    return
  }
  response.writeHead(500, { 'content-length': 0 })
  endAfterBody(response, '')
}
