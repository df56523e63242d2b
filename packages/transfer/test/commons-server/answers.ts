/** Bodies as the services of a commons write them. */
import type { Behaviour } from '../fault-server/behaviour.ts'
import type { Route } from './routes.ts'

/** What a route answers. */
export type Answer = Pick<Behaviour, 'status' | 'body' | 'headers' | 'location' | 'retryAfter'>

export function json(value: unknown, status = 200): Answer {
  return { status, body: JSON.stringify(value), headers: { 'Content-Type': 'application/json' } }
}

export function html(status: number, title: string, message: string): Answer {
  const page = [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${escapeXml(title)}</title>`,
    '<style>body { font-family: sans-serif } h1 { color: #c33 }</style></head>',
    `<body><h1>${status}</h1><p>${escapeXml(message)}</p><a href="/">Home</a></body></html>`,
  ]
  return { status, body: page.join('\n'), headers: { 'Content-Type': 'text/html; charset=utf-8' } }
}

/** Fence says nearly every error on a page for people. */
export function fenceError(status: number, message: string): Answer {
  return html(status, 'Gen3 Fence', message)
}

export function indexdError(status: number, message: string): Answer {
  return json({ error: message }, status)
}

export function drsError(status: number, message: string): Answer {
  return json({ msg: message, status_code: status }, status)
}

/** A storage service's error. */
export function xml(status: number, code: string, message: string, details: Record<string, string> = {}): Answer {
  const elements = Object.entries({ Code: code, Message: message, ...details, RequestId: 'TEST0000000000' })
  const inner = elements.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join('')
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`
  return { status, body, headers: { 'Content-Type': 'application/xml', 'Accept-Ranges': undefined, ETag: undefined } }
}

/** A status that a fault asks for, worded as the service of that route would. */
export function refusal(route: Route, status: number): Answer {
  const message = `Switched on by the test: ${status}`
  if (status === 202) return { status, body: '', headers: { 'Content-Type': 'application/json' } }
  if (route === 'storage') return xml(status, STORAGE_CODES[status] ?? 'Whatever', message)
  if (isOfFence(route)) return fenceError(status, message)
  if (route.startsWith('drs-') || route === 'service-info') return drsError(status, message)
  if (route === 'drshub') return json({ message, statusCode: status }, status)
  return indexdError(status, message)
}

const STORAGE_CODES: Readonly<Record<number, string>> = {
  400: 'InvalidRequest',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'SlowDown',
}

function isOfFence(route: Route): boolean {
  return ['token', 'oauth', 'user', 'download', 'download-bulk', 'drs-access', 'drs-access-bulk'].includes(route)
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
