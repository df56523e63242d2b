/** The dashboard's pages, as their package was built. Whoever has them can do nothing yet: they ask for a login. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LibrarianError } from '@arriero/api'
import type { BuiltPage, BuiltPages } from '../http/built-pages.ts'
import type { RawRoute } from './raw-route.ts'

const root = '/dashboard/'
/** Named after their content. */
const assets = 'assets/'

const headers: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
}

const notBuilt = 'The pages of the dashboard are not built: run `npm run build` where the program was installed from.\n'

/** @param pages undefined: they are not built, or not yet */
export function pageRoutes(pages: () => Promise<BuiltPages | undefined>): RawRoute[] {
  const open = { methods: ['GET', 'HEAD'], openMethods: ['GET', 'HEAD'], level: 'NONE' } as const
  return [
    {
      ...open,
      path: '/',
      handle: async (request, response) => {
        // Programs ask for what they need; only browsers ask for a page.
        if (!request.headers.accept?.includes('text/html')) {
          throw new LibrarianError('NoEndpoint', 'There is nothing here')
        }
        redirect(response)
      },
    },
    { ...open, path: '/dashboard', handle: async (_, response) => redirect(response) },
    {
      ...open,
      path: `${root}*`,
      handle: async (request, response) => {
        const built = await pages()
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
        if (!built) return answerText(request, response, { status: 503, text: notBuilt })
        const path = pathOf(request)
        const page = pageAt(built, path)
        if (!page) return answerText(request, response, { status: 404, text: 'There is nothing here.\n' })
        answerPage(request, response, { page, lasts: path.startsWith(assets) })
      },
    },
  ]
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/[?#].*$/s, '').slice(root.length)
}

/** The app is at every path that is no file: it finds out by itself what it shows there. */
function pageAt(pages: BuiltPages, path: string): BuiltPage | undefined {
  const own = pages.get(path) ?? pages.get(`${path.replace(/\/$/, '')}/index.html`)
  return own ?? (path.startsWith(assets) ? undefined : pages.get('index.html'))
}

function answerPage(
  request: IncomingMessage,
  response: ServerResponse,
  { page, lasts }: { page: BuiltPage; lasts: boolean },
): void {
  response.setHeader('etag', page.etag)
  response.setHeader('vary', 'accept-encoding')
  response.setHeader('cache-control', lasts ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (request.headers['if-none-match'] === page.etag) {
    response.writeHead(304)
    response.end()
    return
  }
  const isGzipped = page.gzipped !== undefined && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  const body = isGzipped ? page.gzipped : page.body
  if (isGzipped) response.setHeader('content-encoding', 'gzip')
  response.writeHead(200, { 'content-type': page.type, 'content-length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text }: { status: number; text: string },
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function redirect(response: ServerResponse): void {
  response.writeHead(302, { location: root, 'content-length': 0, 'cache-control': 'no-store' })
  response.end()
}
