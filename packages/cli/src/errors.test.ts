import { TransferError } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { classOf, ProgramError, stackOf, tell, toLine } from './errors.ts'

test('tell() gives message, remedy and details of an error of the engine', () => {
  const told = tell(
    new TransferError('NotFound', 'Cannot fetch http://h/a: got 404', { url: 'http://h/a', status: 404 }),
  )
  expect(told).toMatchObject({ code: 'not_found', exitCode: 4, url: 'http://h/a', status: 404 })
  expect(toLine(told)).toBe('Cannot fetch http://h/a: got 404. Check the name; it may have moved or been withdrawn.')
})

test('tell() spells codes as reports do, and names the finer reason', () => {
  const told = tell(new TransferError('Denied', 'no', { reason: 'cred_expired' }))
  expect(told).toMatchObject({ code: 'denied', reason: 'cred_expired' })
  expect(classOf(told)).toBe('cred_expired')
  expect(tell(new TransferError('ChecksumMismatch', 'no')).code).toBe('checksum_mismatch')
})

test('toLine() has no use for what a signed address says behind its path', () => {
  const url = 'https://h/a?X-Amz-Date=2026&X-Amz-Signature=***'
  const error = new TransferError('Throttled', `Cannot fetch ${url}: h answered 503`, { url, remedy: 'Wait.' })
  expect(toLine(tell(error))).toBe('Cannot fetch https://h/a?***: h answered 503. Wait.')
})

test('toLine() does not repeat an address that the message has without the slash at its end', () => {
  const error = new TransferError('Network', 'Cannot reach http://h:80: nobody listens there', { url: 'http://h:80/' })
  expect(toLine(tell(error))).toMatch(/^Cannot reach http:\/\/h:80: nobody listens there\./)
})

test('toLine() is one line, whatever a server has put into its answer', () => {
  const line = toLine(tell(new TransferError('Protocol', 'Cannot fetch: got "\u001b[31m\nok: all fine"')))
  expect(line).not.toMatch(/[\u0000-\u001f]/)
  expect(line).toContain('\\x1b[31m\\nok')
})

test('tell() takes errors of the system for errors of the disk', () => {
  const error = Object.assign(new Error("EACCES: permission denied, open 'x'"), {
    code: 'EACCES',
    syscall: 'open',
    path: 'x',
  })
  expect(tell(error)).toMatchObject({ code: 'disk', exitCode: 7, file: 'x' })
})

test('tell() admits what should not happen', () => {
  expect(tell(new TypeError('x is not a function'))).toMatchObject({ code: 'unexpected', exitCode: 1 })
  expect(tell('thrown text')).toMatchObject({ code: 'unexpected' })
})

test('stackOf() follows causes and escapes each line', () => {
  const error = new ProgramError('Disk', 'outer', { cause: new Error('in\u001bner') })
  expect(stackOf(error)).toMatch(/outer[\s\S]*caused by Error: in\\x1bner/)
})
