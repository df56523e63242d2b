/** The body of a call that is no bulk data, where a route reads it itself. */
import type { IncomingMessage } from 'node:http'
import { LibrarianError } from '@arriero/api'
import { parseJson } from '../app/parse-json.ts'

const mostBytes = 8192

/** `Unsupported`, `TooLarge`, `BadRequest`. A form of a foreign page has another type. */
export async function readSmallJson(request: IncomingMessage): Promise<unknown> {
  const { 'content-type': type = '', 'content-encoding': encoding } = request.headers
  if (!/^\s*application\/json\s*(?:;|$)/i.test(type) || encoding !== undefined) {
    throw new LibrarianError('Unsupported', 'Cannot read the body: it must be plain JSON', {
      remedy: 'Send JSON as application/json.',
    })
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new LibrarianError('TooLarge', `Cannot read the body: ${mostBytes} bytes are the most`)
    chunks.push(chunk)
  }
  return parseJson(textOf(Buffer.concat(chunks)))
}

function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new LibrarianError('BadRequest', 'Cannot read the body as JSON: it must be UTF-8')
  }
}
