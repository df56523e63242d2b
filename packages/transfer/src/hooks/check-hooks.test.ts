import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkHooks, moduleUrl } from './check-hooks.ts'

const here = new URL(import.meta.url)

describe('checkHooks()', () => {
  test.each([
    ['functions', { onChunk() {}, resolve: (uri: string) => uri, transform: (bytes: unknown) => bytes }],
    ['settings', { chunkOrder: 'ascending', advisory: ['onChunk'], timeoutMs: Number.POSITIVE_INFINITY, close() {} }],
    ['a hook by URL and export', { onChunk: { module: here, export: 'any' } }],
    ['a hook by path and export', { onChunk: { module: fileURLToPath(here), export: 'any' } }],
    ['hooks that are undefined', { onChunk: undefined, timeoutMs: undefined }],
    [
      'an instance with methods and fields of its own',
      new (class {
        online = true
        once() {}
        onChunk() {}
      })(),
    ],
  ])('accepts %s', (_, hooks) => {
    expect(() => checkHooks(hooks)).not.toThrow()
  })

  test.each([
    ['null', null, /must be an object, got null/],
    ['a number', 3, /must be an object, got 3/],
    ['a misspelt hook', { onChunks() {} }, /no hook "onChunks"; did you mean onChunk\?/],
    ['another case', { onchunk() {} }, /did you mean onChunk\?/],
    ['a name far from all', { whatever: 1 }, /no hook "whatever"$/],
    ['a misspelt setting', { timeoutMS: 1 }, /did you mean timeoutMs\?/],
    [
      'a misspelt method of a class',
      new (class {
        onFileDon() {}
      })(),
      /did you mean onFileDone\?/,
    ],
    [
      'a misspelt method that is inherited',
      new (class extends class {
        onPartDon() {}
      } {})(),
      /did you mean onPartDone\?/,
    ],
    [
      'a hook that is a string',
      { onChunk: 'count' },
      /onChunk must be a function or \{ module, export \}, got "count"/,
    ],
    ['a hook that is null', { onChunk: null }, /onChunk must be a function/],
    ['a module without an export', { onChunk: { module: here } }, /onChunk must be a function or/],
    ['a module on the web', { onChunk: { module: 'https://h/x.js', export: 'x' } }, /must be a file, got/],
    [
      'a module that is not there',
      { onChunk: { module: '/nowhere/x.js', export: 'x' } },
      /must be a file that is there/,
    ],
    ['another order', { chunkOrder: 'descending' }, /'any' or 'ascending', got "descending"/],
    ['no time at all', { timeoutMs: 0 }, /a number above 0, got 0/],
    ['a time in words', { timeoutMs: '1 s' }, /a number above 0, got "1 s"/],
    ['a single advisory name', { advisory: 'onChunk' }, /an array of names, got "onChunk"/],
    ['an advisory hook that is none', { advisory: ['onChnk'] }, /no hook "onChnk"; did you mean onChunk\?/],
  ])('refuses %s', (_, hooks, message) => {
    let failure: unknown
    try {
      checkHooks(hooks)
    } catch (error) {
      failure = error
    }
    expect(failure).toMatchObject({ code: 'Usage', message: expect.stringMatching(message) })
  })
})

test('moduleUrl() takes URLs as they are and paths from the current directory', () => {
  expect(moduleUrl({ module: here, export: 'x' })).toBe(here.href)
  expect(moduleUrl({ module: here.href, export: 'x' })).toBe(here.href)
  expect(moduleUrl({ module: fileURLToPath(here), export: 'x' })).toBe(here.href)
  expect(moduleUrl({ module: 'a b.js', export: 'x' })).toMatch(/^file:\/\/\/.*\/a%20b\.js$/)
})
