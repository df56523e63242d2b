import { expect, test } from 'vitest'
import { Secret } from '../config.ts'
import { createLog } from './create-log.ts'

function logged(act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  act(createLog({ level: 'debug', name: 'here', write: line => lines.push(line) }))
  return lines.join('')
}

test('createLog() writes a line of JSON per event', () => {
  const text = logged(log => {
    log.info({ id: 'a' }, 'One')
    log.error({ err: new Error('broken') }, 'Two')
  })
  const lines = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines).toMatchObject([
    { level: 'info', name: 'here', id: 'a', msg: 'One' },
    { level: 'error', msg: 'Two', err: { message: 'broken', stack: expect.any(String) } },
  ])
})

test.each([
  ['a field', { password: 'CANARY' }, 'x'],
  ['a field below', { request: { headers: { authorization: 'Basic CANARY' } } }, 'x'],
  ['a peer’s credentials', { authenticator: 'here:CANARY' }, 'x'],
  ['a message with a URL', {}, 'Cannot fetch https://u:CANARY@example.org/a?X-Amz-Signature=CANARY'],
  ['a message with a header', {}, 'sent Authorization: Bearer CANARY'],
  ['an error', { err: new Error('https://u:CANARY@example.org failed') }, 'x'],
  [
    'what caused an error',
    { err: new Error('x', { cause: new Error('token=CANARY at https://h/?token=CANARY') }) },
    'x',
  ],
  ['what several causes below caused it', { err: nested(5, 'cookie: CANARY at ftp://u:CANARY@h/') }, 'x'],
  ['errors that came together', { err: new AggregateError([new Error('password=CANARY')], 'several') }, 'x'],
  [
    'what an error carries',
    { err: Object.assign(new Error('x'), { options: { headers: { Authorization: 'Basic Q0FOQVJZOkNBTkFSWQ==' } } }) },
    'x',
  ],
  ['a list of headers', { rawHeaders: ['Authorization', 'x', 'set-cookie: sid=CANARY'] }, 'x'],
  [
    'a secret of the settings',
    { settings: { encryptionKey: new Secret('CANARY'), other: [new Secret('CANARY')] } },
    'x',
  ],
  ['a signed URL', {}, 'GET https://h/data/a?sig=CANARY&x-goog-signature=CANARY&se=CANARY#CANARY'],
])('createLog() hides secrets in %s', (_, fields, message) => {
  const text = logged(log => log.error(fields, message))
  expect(text).not.toContain('CANARY')
  expect(text).not.toContain('Q0FOQVJZ')
})

function nested(depth: number, message: string): Error {
  return depth === 0 ? new Error(message) : new Error('x', { cause: nested(depth - 1, message) })
}

test('createLog() leaves nothing in that could move a cursor, turn text round or begin a line', () => {
  const text = logged(log => log.info({ name: 'a\u001b[2J\u009b1m\u202eb\u2028c\nd' }, 'x\r\ny'))
  expect(text.trimEnd()).toMatch(/^[\u0020-\u007e]*$/)
  expect(JSON.parse(text)).toMatchObject({ name: 'a\u001b[2J\u009b1m\u202eb\u2028c\nd', msg: 'x\r\ny' })
})
