/**
 * `GET|HEAD /docs/…`: the pages of the manual, for everybody. They are files of one directory, and nothing else can be named:
 * a path is taken only if it consists of plain names.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { judgeConditions } from '../http/conditions.ts'
import type { RawRoute } from './raw-route.ts'

const prefix = '/docs/'

/** Names of letters, digits, `_` and `-`, with single dots between them: none begins with a dot, none is `..`. */
const plainPath = /^(?:[\w-]+(?:\.[\w-]+)*\/)*[\w-]+(?:\.[\w-]+)+$/

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
}

const nothingElse = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** Pages need no script, and nothing from elsewhere. */
const pagePolicy = `default-src 'none'; style-src 'self'; img-src 'self'; ${nothingElse}`
/** The reference of the libraries has a menu and a search of its own. */
const referencePolicy = `default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; ${nothingElse}`
/** A picture has its colours in itself. */
const picturePolicy = `default-src 'none'; style-src 'unsafe-inline'; ${nothingElse}`

const notBuilt = 'The manual is not built here: run `npm run docs:build` in the repository, then look again.\n'

/** @param directory of the built manual, which need not be there */
export function manualRoutes(directory: string): RawRoute[] {
  const open = { level: 'NONE', methods: ['GET', 'HEAD'], openMethods: ['GET', 'HEAD'] } as const
  return [
    // Relative: a proxy may show the librarian below a path.
    {
      ...open,
      path: '/docs',
      handle: async (_, response) => void response.writeHead(308, { location: 'docs/' }).end(),
    },
    { ...open, path: `${prefix}*`, handle: (request, response) => answer(directory, request, response) },
  ]
}

async function answer(directory: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request.url ?? '')
  await using page = path === undefined ? undefined : await openPage(join(directory, path))
  if (path === undefined || page === undefined) return await refuse(directory, request, response)
  const etag = `"${page.etag}"`
  response.setHeader('content-security-policy', policyOf(path))
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cache-control', 'no-cache')
  response.setHeader('etag', etag)
  if (judgeConditions(request.headers, etag) === 'not-modified') return void response.writeHead(304).end()
  const bytes = await page.file.readFile()
  response.writeHead(200, { 'content-type': types[extname(path)], 'content-length': bytes.length })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}

/** Below the directory; undefined for anything that no page is called. */
function pathOf(url: string): string | undefined {
  const rest = (url.split('?', 1)[0] as string).slice(prefix.length)
  const path = rest === '' || rest.endsWith('/') ? `${rest}index.html` : rest
  return plainPath.test(path) && extname(path) in types ? path : undefined
}

function policyOf(path: string): string {
  if (path.endsWith('.svg')) return picturePolicy
  return path.startsWith('api/') ? referencePolicy : pagePolicy
}

interface OpenPage extends AsyncDisposable {
  readonly file: FileHandle
  /** Changes whenever the file is written anew. */
  readonly etag: string
}

/** Undefined: there is no such file, or it is no plain one. */
async function openPage(path: string): Promise<OpenPage | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => undefined)
  if (!file) return undefined
  const found = await file.stat()
  if (!found.isFile()) return void (await file.close())
  const etag = `${found.ino}-${found.size}-${found.mtimeMs}`
  return { file, etag, [Symbol.asyncDispose]: () => file.close() }
}

/** In words for people: whoever is here has a browser. */
async function refuse(directory: string, { method }: IncomingMessage, response: ServerResponse): Promise<void> {
  await using index = await openPage(join(directory, 'index.html'))
  const text = index ? 'There is no such page. The manual begins at /docs/.\n' : notBuilt
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  response.end(method === 'HEAD' ? undefined : text)
}
