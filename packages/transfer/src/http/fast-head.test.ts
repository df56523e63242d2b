import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFastShape, parseFastHead } from './fast-head.ts'

const head = (...lines: string[]) => lines.map(line => `${line}\r\n`).join('')

describe('parseFastHead()', () => {
  test('reads status and fields with lower-case names', () => {
    expect(parseFastHead(head('HTTP/1.1 206 Partial Content', 'Content-Length: 5', 'ETag:"x"', 'X:  a b \t'))).toEqual({
      status: 206,
      headers: { 'content-length': '5', etag: '"x"', x: 'a b' },
    })
    expect(parseFastHead(head('HTTP/1.1 200'))?.status).toBe(200)
  })

  test('keeps fields that come twice apart', () => {
    expect(parseFastHead(head('HTTP/1.1 200 OK', 'A: 1', 'a: 2', 'A: 3'))?.headers).toEqual({ a: ['1', '2', '3'] })
  })

  test('is safe from names that mean something to objects', () => {
    const { headers } = parseFastHead(head('HTTP/1.1 200 OK', '__proto__: x', 'constructor: y')) ?? { headers: {} }
    expect(headers.constructor).toBe('y')
    expect(Object.getPrototypeOf(headers)).toBeNull()
  })

  test.each([
    ['HTTP/1.0', head('HTTP/1.0 200 OK')],
    ['HTTP/2', head('HTTP/2 200')],
    ['an interim answer', head('HTTP/1.1 103 Early Hints')],
    ['a status of four digits', head('HTTP/1.1 2000 OK')],
    ['a space before the colon', head('HTTP/1.1 200 OK', 'A : 1')],
    ['a folded line', head('HTTP/1.1 200 OK', 'A: 1', ' 2')],
    ['a bare LF', 'HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n'],
    ['a bare CR', 'HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n'],
    ['a bare LF after the status', 'HTTP/1.1 200 OK\nA: 1\r\n'],
    ['a NUL', head('HTTP/1.1 200 OK', 'A: \0')],
    ['a line without colon', head('HTTP/1.1 200 OK', 'A')],
    ['an empty name', head('HTTP/1.1 200 OK', ': 1')],
    ['no status line', head('A: 1')],
    ['a cut line', 'HTTP/1.1 200 OK\r\nA: 1'],
  ])('refuses %s', (_, text) => {
    expect(parseFastHead(text)).toBeUndefined()
  })

  test('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parseFastHead(`HTTP/1.1 200 OK\r\n${text}\r\n`)))
  })
})

describe('isFastShape()', () => {
  const fine = { 'content-length': '5', 'content-range': 'bytes 0-4/9' }

  test('wants one length, no coding and, for a 206, one range', () => {
    expect(isFastShape({ status: 206, headers: fine })).toBe(true)
    expect(isFastShape({ status: 200, headers: { 'content-length': '5', 'content-encoding': 'identity' } })).toBe(true)
  })

  test.each([
    { status: 206, headers: { 'content-length': '5' } },
    { status: 206, headers: { ...fine, 'content-length': undefined } },
    { status: 206, headers: { ...fine, 'content-length': ['5', '5'] } },
    { status: 206, headers: { ...fine, 'content-length': '5,5' } },
    { status: 206, headers: { ...fine, 'content-range': ['bytes 0-4/9', 'bytes 0-4/9'] } },
    { status: 206, headers: { ...fine, 'transfer-encoding': 'chunked' } },
    { status: 206, headers: { ...fine, 'content-encoding': 'gzip' } },
    { status: 206, headers: { ...fine, 'content-encoding': ['identity', 'gzip'] } },
    { status: 204, headers: fine },
    { status: 302, headers: fine },
  ])('refuses %j', answer => {
    expect(isFastShape(answer)).toBe(false)
  })
})
