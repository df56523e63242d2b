import { expect, test } from 'vitest'
import { parseHeaders, secretHeadersIn } from './headers.ts'

test('parseHeaders() reads names and values, and joins repeated ones', () => {
  expect(parseHeaders(['Authorization: Bearer a:b', 'X-Lab:  7 ', 'X-Lab: 8'])).toEqual({
    Authorization: 'Bearer a:b',
    'X-Lab': '7, 8',
  })
})

test('parseHeaders() reads a file for @FILE, so that a token is no argument', () => {
  expect(parseHeaders(['@secret'], () => '# mine\nAuthorization: Bearer x\n\n')).toEqual({ Authorization: 'Bearer x' })
})

test.each(['', 'no colon', ': value', 'Na me: x', 'X: a\r\nEvil: b', 'X: a\0'])('parseHeaders() refuses %j', text => {
  expect(() => parseHeaders([text])).toThrow(/--header/)
})

test('parseHeaders() refuses headers that would ask for other bytes', () => {
  expect(() => parseHeaders(['Range: bytes=0-1'])).toThrow(/cannot set Range/)
})

test('parseHeaders() never repeats a value in a message', () => {
  expect(() => parseHeaders(['Auth orization: hunter2'])).toThrow(/^(?!.*hunter2)/)
})

test('secretHeadersIn() takes every header for a secret that is not known to be harmless', () => {
  expect(secretHeadersIn({ 'X-Lab-Pass': 'a', Accept: '*/*', Cookie: 'c' })).toEqual(['X-Lab-Pass', 'Cookie'])
})
