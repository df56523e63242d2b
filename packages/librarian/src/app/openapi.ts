/** The wire as an OpenAPI document and as a page. Only where the setting `debug` asks for it (librarian 10.11). */
import { type Endpoint, openApi } from '@arriero/api'
import type { FastifyInstance } from 'fastify'
import { version } from '../version.ts'

export function registerOpenApi(app: FastifyInstance, endpoints: readonly Endpoint[]): void {
  app.get('/api/v2/openapi.json', async () => openApi({ version }))
  // At `/docs`, where older servers have it too, is the manual.
  app.get('/redoc', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(page(endpoints)),
  )
}

function page(endpoints: readonly Endpoint[]): string {
  const rows = endpoints.map(
    ({ path, level, summary }) => `<tr><td><code>/api/v2/${escaped(path)}</code><td>${level}<td>${escaped(summary)}`,
  )
  return `<!doctype html><title>Librarian</title><style>body{font:16px sans-serif;margin:2em}td{padding:.2em 1em .2em 0}</style>
<h1>Librarian</h1><p>Every call is a POST of JSON. The schemas: <a href="/api/v2/openapi.json">openapi.json</a></p>
<table>${rows.join('\n')}</table>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
