import { errorTable as librarianErrors } from '@arriero/api'
import { errorTable } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { exitCodeOf, exitCodeOfLibrarian, exitCodeOfSignal, exitCodes } from './exit-codes.ts'

test('every error code of the engine has an exit code of its own choice', () => {
  const unmapped = Object.keys(errorTable).filter(code => exitCodeOf(code) === exitCodes.someFailed)
  // Hooks and stages belong to the caller, and nothing of the design's table fits it.
  expect(unmapped).toEqual(['HookFailed', 'StageFailed'])
})

test.each([
  ['ChecksumMismatch', 3],
  ['SizeMismatch', 3],
  ['NotFound', 4],
  ['Denied', 5],
  ['Expired', 5],
  ['Network', 6],
  ['Timeout', 6],
  ['Tls', 6],
  ['Disk', 7],
  ['NoSpace', 7],
  ['Exists', 7],
  ['ResourceChanged', 8],
  ['Usage', 2],
  ['Unsupported', 2],
  ['SomethingNew', 1],
])('%s ends a single item with %i', (code, exitCode) => expect(exitCodeOf(code)).toBe(exitCode))

test('errors of librarians that give 1 are those that nothing of the design’s table fits', () => {
  const unmapped = Object.keys(librarianErrors).filter(code => exitCodeOfLibrarian(code) === exitCodes.someFailed)
  expect(unmapped.sort()).toEqual([
    'Conflict',
    'FileExists',
    'IdempotencyMismatch',
    'Internal',
    'KeepsLastCopy',
    'NameTaken',
    'NoSpace',
    'NoStore',
    'StagedNotFound',
    'StoreUnavailable',
    'TooLarge',
    'TransferOngoing',
    'TransferReplaced',
    'Unsupported',
  ])
})

test('signals end as a shell reports them', () => {
  expect(exitCodeOfSignal('SIGINT')).toBe(130)
  expect(exitCodeOfSignal('SIGTERM')).toBe(143)
})
