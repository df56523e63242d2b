import { expect, test } from 'vitest'
import { matchPath, pathOf } from './match.ts'

test('matchPath() takes a path for itself alone, with or without a slash at its end', () => {
  expect(matchPath('/files', '/files')).toEqual({ rest: '' })
  expect(matchPath('/files', '/files/')).toEqual({ rest: '' })
  expect(matchPath('/', '/')).toEqual({ rest: '' })
  expect(matchPath('/files', '/files/a')).toBeUndefined()
  expect(matchPath('/files/*', '/files/')).toBeUndefined()
})

test('pathOf() and matchPath() carry every name there and back', () => {
  for (const name of ['night 1/a.fits', '<img src=x onerror=alert(1)>.fits', 'a?b#c%2f/ü', '日本/ファイル']) {
    const path = new URL(pathOf('/files', name), 'http://a').pathname
    expect(matchPath('/files/*', path)).toEqual({ rest: name })
  }
})

test('matchPath() refuses what cannot be decoded', () => {
  expect(matchPath('/files/*', '/files/%E0%A4%A')).toBeUndefined()
})
