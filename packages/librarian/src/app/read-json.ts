/** Bodies of the wire's calls: JSON, with or without a Content-Type (librarian 4.2), never compressed (reliability 6). */
import { LibrarianError } from '@arriero/api'
import type { FastifyInstance } from 'fastify'
import { parseJson } from './parse-json.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

export function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addHook('onRequest', async ({ headers }) => {
    refuseEncoded(headers['content-encoding'])
    refuseForeignPage(headers['sec-fetch-site'])
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: { headers: object }, body: Buffer) => {
    const type = (request.headers as Record<string, string | undefined>)['content-type']
    if (!isJson(type)) {
      throw new LibrarianError('Unsupported', 'Cannot read the body: its Content-Type must be application/json', {
        remedy: 'Send JSON as application/json.',
      })
    }
    return body.length === 0 ? undefined : parseJson(textOf(body))
  })
}

/** Existing tools post without a type; any other than JSON could be a form of a foreign web page. */
function isJson(type: string | undefined): boolean {
  return type === undefined || /^\s*application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)
}

function refuseEncoded(encoding: string | undefined): void {
  if (encoding === undefined || /^\s*identity\s*$/i.test(encoding)) return
  throw new LibrarianError('Unsupported', 'Cannot read the body: it must not be compressed')
}

/** A browser sends along the password that it once was given, to whichever page asks for it; only it sets this header. */
function refuseForeignPage(site: string | string[] | undefined): void {
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new LibrarianError('BadRequest', 'Cannot take the call: it comes from a web page of another site', {
    remedy: 'Call from a program, or from a page of this server.',
  })
}

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new LibrarianError('BadRequest', 'Cannot read the body as JSON: it must be UTF-8')
  }
}
