import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { send } from './http.ts'

interface Upload {
  readonly size: number
  readonly checksum: string
  readonly chunks: Buffer[]
  offset: number
}

/** The core of tus 1.0: takes pieces, and compares their digest at the end. */
export function createTus(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const uploads = new Map<string, Upload>()
  return async (request, response) => {
    response.setHeader('tus-resumable', '1.0.0')
    if (request.method === 'POST') return create(request, response, uploads)
    const token = (request.url ?? '').split('/').at(-1)!
    const upload = uploads.get(token)
    if (!upload) return send(response, 404, { reason: 'There is no such upload', code: 'NotFound' })
    if (request.method === 'DELETE') {
      uploads.delete(token)
      response.writeHead(204).end()
      return
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, { 'upload-offset': upload.offset, 'upload-length': upload.size }).end()
      return
    }
    if (Number(request.headers['upload-offset']) !== upload.offset) {
      return send(response, 409, { reason: 'Wrong offset', code: 'Conflict' })
    }
    for await (const chunk of request) {
      upload.chunks.push(chunk as Buffer)
      upload.offset += (chunk as Buffer).length
    }
    if (upload.offset === upload.size && !isRight(upload)) {
      return send(response, 406, { reason: 'File does not have a valid checksum or size', code: 'Mismatch' })
    }
    response.writeHead(204, { 'upload-offset': upload.offset }).end()
  }
}

function create(request: IncomingMessage, response: ServerResponse, uploads: Map<string, Upload>): void {
  const pairs = String(request.headers['upload-metadata'])
    .split(',')
    .map(pair => pair.trim().split(' '))
  const metadata = new Map(pairs.map(([key, value]) => [key, Buffer.from(value ?? '', 'base64').toString()]))
  if (metadata.get('name')?.includes('taken')) {
    return send(response, 409, { reason: 'File already exists on librarian.', code: 'FileExists' })
  }
  const token = randomBytes(16).toString('hex')
  const size = Number(request.headers['upload-length'])
  uploads.set(token, { size, checksum: metadata.get('checksum') ?? '', chunks: [], offset: 0 })
  response.writeHead(201, { location: `/api/v2/upload/bytes/${token}`, 'upload-offset': 0 }).end()
}

function isRight({ checksum, chunks }: Upload): boolean {
  const [name = '', hex] = checksum.split(':::')
  return createHash(name).update(Buffer.concat(chunks)).digest('hex') === hex
}
