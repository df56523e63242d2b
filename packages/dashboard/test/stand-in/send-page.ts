import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

/** The policy under which the real server sends the pages. */
const policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** A built file, or the index for every other path. */
export async function sendPage(pathname: string, response: ServerResponse): Promise<void> {
  response.setHeader('content-security-policy', policy)
  response.setHeader('referrer-policy', 'no-referrer')
  if (!pathname.startsWith('/dashboard/')) {
    response.writeHead(302, { location: '/dashboard/' }).end()
    return
  }
  const asset = /^\/dashboard\/(assets\/[\w.-]+)$/.exec(pathname)?.[1]
  const bytes = await readFile(dist + (asset ?? 'index.html'))
  response.writeHead(200, { 'content-type': types[extname(asset ?? 'index.html')] ?? 'application/octet-stream' })
  response.end(bytes)
}
