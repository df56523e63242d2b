import { describe, expect, test } from 'vitest'
import { refusal } from './failure.ts'

const about = (code: number, words: string, asked = 'RETR', exists = false) =>
  refusal({ code, lines: [words] }, { uri: 'ftp://host/x', asked, exists })

describe('refusal()', () => {
  test.each([
    [421, 'There are too many connections from your internet address.', 'PASS', 'Throttled', true],
    [421, 'Service not available', 'the greeting', 'Throttled', true],
    [421, 'Timeout.', 'SIZE', 'Network', true],
    [421, 'No transfer timeout (600 seconds): closing control connection', 'SIZE', 'Network', true],
    [530, 'Sorry, the maximum number of allowed clients (10) are already connected.', 'USER', 'Throttled', true],
    [530, 'Too many users logged in, try again later', 'PASS', 'Throttled', true],
    [530, 'Login incorrect.', 'PASS', 'Denied', false],
    [530, 'Too many failed logins', 'PASS', 'Denied', false],
    [430, 'Invalid username or password', 'PASS', 'Denied', false],
    [332, 'Need account', 'PASS', 'Denied', false],
    [425, 'Cannot open data connection', 'RETR', 'Network', true],
    [426, 'Failure writing network stream.', 'RETR', 'Network', true],
    [450, 'busy', 'RETR', 'Network', true],
    [451, 'local error', 'RETR', 'Network', true],
    [550, 'No such file or directory', 'RETR', 'NotFound', false],
    [550, 'Failed to open file.', 'RETR', 'NotFound', false],
    [550, 'Permission denied', 'RETR', 'Denied', false],
    [553, 'Not allowed', 'RETR', 'Denied', false],
    [500, 'Unknown command', 'RETR', 'Protocol', false],
    [534, 'policy', 'PROT', 'Unsupported', false],
  ])('%i %s to %s is %s', (code, words, asked, kind, retriable) => {
    expect(about(code, words, asked)).toMatchObject({ code: kind, retriable })
  })

  test('a file that is there and cannot be opened is Denied', () => {
    expect(about(550, 'Failed to open file.', 'RETR', true)).toMatchObject({ code: 'Denied' })
    expect(about(550, 'No such file', 'RETR', true)).toMatchObject({ code: 'NotFound' })
  })

  test('a file that is not there may be a directory without its slash', () => {
    expect(about(550, 'Not a plain file', 'RETR').remedy).toContain('ends with /')
    expect(about(550, 'No such directory', 'CWD').remedy).not.toContain('ends with /')
  })

  test('what a server says of a login is not repeated: it may repeat the password', () => {
    expect(about(530, 'PASS hunter2 is wrong', 'PASS').message).not.toContain('hunter2')
  })
})
